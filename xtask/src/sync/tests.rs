use super::{Synced, clear_draft, draft, replace};
use course::source::{Source, Sources};
use std::fs;

fn sources() -> Sources {
    Sources {
        rust: vec![Source {
            path: "src/main.rs".into(),
            text: "fn one() -> u8 {\n    1\n}\n\nfn two() -> u8 {\n    2\n}\n".to_owned(),
        }],
        python: None,
    }
}

const README: &str = "# T\n\n```rust\nfn one() {\n}\n```\n\n* prose  \n\n```text\nfn one() {}\n```\n\n\
                      ```rust\nfn two() -> u8 {\n    2\n}\n```\nlast";

#[test]
fn only_what_differs_is_written_and_told() {
    let synced = Synced::new(README, &sources());
    let expected = README.replace("fn one() {\n}\n", "fn one() -> u8 {\n    1\n}\n");
    assert_eq!(synced.text, expected);
    assert_eq!(synced.written, [(4, "fn one".to_owned())]);
    assert_eq!(synced.left, []);
    let again = Synced::new(&expected, &sources());
    assert_eq!((again.text, again.written), (expected, vec![]));
}

#[test]
fn line_ends_stay_as_the_file_has_them() {
    let readme = README.replace('\n', "\r\n");
    let synced = Synced::new(&readme, &sources());
    let expected = README.replace("fn one() {\n}\n", "fn one() -> u8 {\n    1\n}\n");
    assert_eq!(synced.text, expected.replace('\n', "\r\n"));
}

#[test]
fn what_is_gone_is_told_with_its_line_in_the_new_text() {
    let readme = README.replace("fn two()", "fn tow()");
    let synced = Synced::new(&readme, &sources());
    assert_eq!(synced.written.len(), 1);
    assert_eq!(synced.left.len(), 1);
    let (line, fault) = &synced.left[0];
    assert_eq!(synced.text.lines().nth(line - 1), Some("fn tow() -> u8 {"));
    assert!(
        fault.contains("`fn tow` does not appear anywhere in the lesson; did you mean `fn two`?")
    );
}

#[test]
fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("README.md");
    fs::write(&path, "old").unwrap();
    // The user's own.
    fs::write(folder.path().join("README.md.new"), "mine").unwrap();
    // What a run that was killed has left.
    fs::write(draft(&path), "half").unwrap();
    clear_draft(&path).unwrap();
    assert!(!draft(&path).exists());
    replace(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert!(folder.path().join("README.md.new").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_file_that_cannot_be_replaced_stays_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A folder that is not empty is in the way.
    let path = folder.path().join("README.md");
    fs::create_dir_all(path.join("inside")).unwrap();
    assert!(replace(&path, "new").is_err());
    assert!(path.join("inside").is_dir());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

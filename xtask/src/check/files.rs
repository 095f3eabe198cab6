use std::fs;

use super::Problem;
use super::checkout::Checkout;
use course::source::Source;

/// The largest size of a file, in bytes: 1 MiB.
const LARGEST: u64 = 1024 * 1024;

/// Folders at the top of somebody's machine.
const MACHINE_FOLDERS: &[&str] = &["home", "root", "work", "Users"];

/// No file is larger than 1 MiB.
pub(super) fn no_file_is_huge(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for path in &checkout.files {
        let size = fs::metadata(checkout.root.join(path)).map_or(0, |data| data.len());
        if size > LARGEST {
            problems.push(Problem::new(
                path,
                1,
                format!("the file has {size} bytes, more than 1 MiB"),
                "make it when it is needed, or leave it out of the checkout",
            ));
        }
    }
    problems
}

/// No text names a place that is there on one machine only.
pub(super) fn no_machine_paths(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Source { path, text } in checkout.texts() {
        for (index, line) in text.lines().enumerate() {
            if let Some(folder) = MACHINE_FOLDERS.iter().find(|name| begins_path(line, name)) {
                problems.push(Problem::new(
                    &path,
                    index + 1,
                    format!("an absolute path below /{folder}, which other machines have not"),
                    "give it relative to the checkout",
                ));
            }
        }
    }
    problems
}

/// Tells whether a line has an absolute path that begins with this folder.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        // `a/home/b` and `https://host/home/` are no paths from the top.
        before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-~/}>)".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, begins_path, no_file_is_huge, no_machine_paths};
    use crate::check::fixture::{Fixture, problems};

    #[test]
    fn files_in_order_have_no_problem() {
        let fixture = Fixture::new();
        let checkout = fixture.checkout();
        for rule in [no_file_is_huge, no_machine_paths] {
            assert_eq!(problems(rule, &checkout), [""; 0]);
        }
    }

    #[test]
    fn a_huge_file_is_refused() {
        let fixture = Fixture::new();
        let size = usize::try_from(LARGEST).unwrap();
        fixture.write("large.bin", &"x".repeat(size));
        assert_eq!(problems(no_file_is_huge, &fixture.checkout()), [""; 0]);
        fixture.append("large.bin", "x");
        let found = problems(no_file_is_huge, &fixture.checkout());
        assert!(found[0].starts_with("large.bin:1: the file has 1048577 bytes"));
    }

    #[test]
    fn a_path_of_one_machine_is_refused_with_its_line() {
        let fixture = Fixture::new();
        fixture.write("NOTES.md", &format!("One.\nIn /{}/me/notes.\n", "home"));
        let found = problems(no_machine_paths, &fixture.checkout());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("NOTES.md:2: an absolute path below"),
            "{found:?}"
        );
    }

    #[test]
    fn only_a_path_from_the_top_counts() {
        let folder = "home";
        assert!(begins_path(&format!("\"/{folder}/me\""), folder));
        assert!(!begins_path(&format!("src/{folder}/me"), folder));
        assert!(!begins_path(
            &format!("https://a.example/{folder}/me"),
            folder
        ));
        assert!(!begins_path(&format!("/{folder}work/me"), folder));
    }
}

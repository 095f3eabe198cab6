//! `cargo xtask lesson --python`: the Python counterparts, run first.

use std::env;
use std::ffi::OsString;
use std::iter;
use std::path::Path;

use tempfile::TempDir;

use crate::small_course::{Run, SmallCourse, put_script, run_to_end};

/// Returns a folder with a shell script `python3`.
pub(crate) fn stand_in(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put_script(&folder.path().join("python3"), script);
    folder
}

/// Returns a `PATH` that begins with this folder.
pub(crate) fn path_with(programs: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(programs.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders).expect("a list of folders")
}

fn played(arguments: &[&str], programs: &Path) -> Run {
    let course = SmallCourse::new();
    run_to_end(course.command(arguments).env("PATH", path_with(programs)))
}

#[test]
fn the_counterpart_runs_first_and_its_failure_does_not_count() {
    let script = "test $1 = --version && echo Python 3.9.0 && exit; echo \"python ran $@\"\n\
                  echo wrong >&2; exit 3";
    let python = stand_in(script);
    let run = played(&["lesson", "greeting", "--python"], python.path());
    let order = [
        "Guess.\n",
        "Python, run now:\n    $ python3 lessons/greeting/greeting.py hello\n",
        "    python ran lessons/greeting/greeting.py hello\n",
        "Python took ",
        "The Python counterpart failed: it ended with exit status: 3.",
        "Rust, run now:\n    $ cargo run -q -p greeting -- hello\n",
        "    live hello from ",
        "Rust took ",
        "Notice hello.",
        "Everything worked.",
    ];
    let mut rest = run.out.as_str();
    for text in order {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?}, in its order, in {run:?}"));
        rest = after;
    }
    assert!(run.out.contains("    (stderr) wrong\n"), "{run:?}");
    assert_eq!((run.error.as_str(), run.status), ("", Some(0)));
}

#[test]
fn a_python_that_is_too_old_is_reported_once_and_not_used() {
    let python = stand_in("echo Python 3.8.18");
    let run = played(
        &["lesson", "trouble", "hello", "hello", "--python"],
        python.path(),
    );
    let said = "The Python counterparts won't run: python3 is Python 3.8.18, but they need 3.9\n\
                or newer.\n";
    assert_eq!(run.out.matches(said).count(), 1, "{run:?}");
    assert_eq!(run.out.matches("live hello from").count(), 2, "{run:?}");
    assert!(!run.out.contains("Python took"), "{run:?}");
    assert_eq!(run.status, Some(0));
}

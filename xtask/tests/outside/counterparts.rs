//! `cargo xtask lesson --python`: the Python counterparts, run first.

use std::env;
use std::ffi::OsString;
use std::iter;
use std::path::Path;

use tempfile::TempDir;

use crate::small_course::{SmallCourse, Told, put_script, told};

/// A folder with a program `python3` that is a script of the shell.
pub(crate) fn stand_in(script: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put_script(&folder.path().join("python3"), script);
    folder
}

/// Gives a `PATH` on which the programs of that folder come before those of the system.
pub(crate) fn path_with(programs: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(programs.to_owned()).chain(env::split_paths(&path));
    env::join_paths(folders).expect("a list of folders")
}

fn played(arguments: &[&str], programs: &Path) -> Told {
    let course = SmallCourse::new();
    told(course.command(arguments).env("PATH", path_with(programs)))
}

#[test]
fn the_counterpart_runs_first_and_its_failure_is_no_failure_of_the_course() {
    let script = "test $1 = --version && echo Python 3.9.0 && exit; echo \"python ran $@\"\n\
                  echo wrong >&2; exit 3";
    let python = stand_in(script);
    let told = played(&["lesson", "greeting", "--python"], python.path());
    let order = [
        "Guess.\n",
        "Python, run now:\n    $ python3 lessons/greeting/greeting.py hello\n",
        "    python ran lessons/greeting/greeting.py hello\n",
        "Python took ",
        "The Python counterpart did not go well: it ended with exit status: 3.",
        "Rust, run now:\n    $ cargo run -q -p greeting -- hello\n",
        "    live hello from ",
        "Rust took ",
        "Notice hello.",
        "Everything worked.",
    ];
    let mut rest = told.out.as_str();
    for text in order {
        let (_, after) = rest
            .split_once(text)
            .unwrap_or_else(|| panic!("no {text:?}, in its order, in {told:?}"));
        rest = after;
    }
    assert!(told.out.contains("    (stderr) wrong\n"), "{told:?}");
    assert_eq!((told.error.as_str(), told.status), ("", Some(0)));
}

#[test]
fn a_python_that_is_too_old_is_told_once_and_left_out() {
    let python = stand_in("echo Python 3.8.18");
    let told = played(
        &["lesson", "trouble", "hello", "hello", "--python"],
        python.path(),
    );
    let said = "The Python counterparts are left out: python3 is Python 3.8.18, and they need\n\
                3.9 or newer.\n";
    assert_eq!(told.out.matches(said).count(), 1, "{told:?}");
    assert_eq!(told.out.matches("live hello from").count(), 2, "{told:?}");
    assert!(!told.out.contains("Python took"), "{told:?}");
    assert_eq!(told.status, Some(0));
}

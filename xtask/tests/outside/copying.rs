//! `cargo xtask copy` in a small course: what it refuses, and that it does all or nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::small_course::{SmallCourse, Told, told};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for copies")
}

/// Copies a lesson of the small course.
fn copy(course: &SmallCourse, lesson: &str, dir: &Path) -> Told {
    told(&mut copying(course, lesson, dir))
}

fn copying(course: &SmallCourse, lesson: &str, dir: &Path) -> Command {
    let mut command = course.command(&["copy", lesson]);
    command.arg(dir);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.display().to_string()).collect();
    names.sort();
    names
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_copy_has_all_it_needs_and_says_what_to_do_next() {
    let course = SmallCourse::new();
    course.write(
        "crates/extra/Cargo.toml",
        "[package]\nname = \"extra\"\nedition = \"2024\"\n\n[dev-dependencies]\nno-such-package = \"1\"\n",
    );
    course.write(
        "crates/extra/src/lib.rs",
        "pub const WORD: &str = \"extra\";\n",
    );
    course.write("crates/extra/tests/test.rs", "this does not compile");
    course.append(
        "lessons/greeting/Cargo.toml",
        "\n# The program.\n[[bin]]\nname = \"greeting\"\npath = \"src/main.rs\"\n\n\
         [dependencies]\nextra = { path = \"../../crates/extra\" }\n",
    );
    course.write(
        "lessons/greeting/greeting.py",
        "# cargo run -q -p greeting -- hello\n",
    );
    course.append(
        "lessons/greeting/README.md",
        "\nSee [the crate](../../crates/extra/src/lib.rs#word), [trouble](../trouble/README.md) and \
         `python3 lessons/greeting/greeting.py`.\n\n\
         ## Take this lesson with you\n\nHow it is copied.\n",
    );
    let folder = folder();
    let dir = folder.path().join("new folder/mine");
    let Told { out, error, status } = copy(&course, "greeting", &dir);
    assert_eq!((error.as_str(), status), ("", Some(0)));
    for said in [
        &format!("cd \"{}\"", dir.display()),
        "cargo run -q -- hello",
        "cargo test",
        "cargo fetch",
    ] {
        assert!(out.contains(said), "no {said} in {out}");
    }
    assert_eq!(names(folder.path()), ["new folder"]);

    let manifest = text(&dir.join("Cargo.toml"));
    for part in [
        "extra = { path = \"crates/extra\" }",
        "# The program.\n[[bin]]\n",
        "\n[workspace]\n",
    ] {
        assert!(manifest.contains(part), "no {part} in {manifest}");
    }
    assert!(!manifest.contains("metadata.lesson"), "{manifest}");
    let needed = text(&dir.join("crates/extra/Cargo.toml"));
    assert!(!needed.contains("dev-dependencies"), "{needed}");
    assert_eq!(names(&dir.join("crates/extra")), ["Cargo.toml", "src"]);

    let readme = text(&dir.join("README.md"));
    for part in [
        "\n$ cargo run -q -- hello\n",
        "[the crate](crates/extra/src/lib.rs#word), trouble and `python3 greeting.py`.",
        "\n## About this project\n",
    ] {
        assert!(readme.contains(part), "no {part} in {readme}");
    }
    assert!(!readme.contains("How it is copied"), "{readme}");
    assert_eq!(text(&dir.join("greeting.py")), "# cargo run -q -- hello\n");
}

#[test]
fn bad_words_are_refused_with_what_to_do() {
    let course = SmallCourse::new();
    let folder = folder();
    let dir = folder.path().join("new");
    let dir = dir.to_str().expect("a path that is text");
    for (arguments, expected) in [
        (&["copy"][..], "cargo xtask copy pool ../my-pool"),
        (&["copy", "greeting"], "a lesson and a folder are needed"),
        (&["copy", "greting", dir], "did you mean `greeting`?"),
        (&["copy", "greeting", dir, "more"], "unexpected argument"),
        (&["copy", "greeting", dir, "--nam", "x"], "--nam"),
        (
            &["copy", "greeting", dir, "--name", "1x"],
            "begins with a letter",
        ),
        (
            &["copy", "greeting", dir, "--name", "a b"],
            "begins with a letter",
        ),
        (&["copy", "greeting", ""], "is no path"),
        (
            &["copy", "greeting", "lessons/greeting/new"],
            "choose a folder outside",
        ),
        (&["copy", "greeting", "lessons/trouble"], "is not empty"),
        (&["copy", "greeting", "Cargo.toml"], "is a file"),
    ] {
        let told = course.tell(arguments);
        assert!(told.error.contains(expected), "{arguments:?}: {told:?}");
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)), "{told:?}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_workspace_that_would_break_is_named() {
    let course = SmallCourse::new();
    let folder = folder();
    let manifest = folder.path().join("Cargo.toml");
    fs::write(manifest, "[workspace]\nmembers = [\"crates/*\"]\n").expect("a manifest");
    let told = copy(&course, "greeting", &folder.path().join("crates/mine"));
    assert!(
        told.error.contains("exclude = [\"crates/mine\"]"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(2));
    assert_eq!(names(folder.path()), ["Cargo.toml"]);
}

#[test]
fn the_course_goes_on_with_a_copy_among_its_lessons() {
    let course = SmallCourse::new();
    let told = course.tell(&["copy", "greeting", "lessons/mine", "--name", "mine"]);
    assert_eq!(told.status, Some(0), "{told:?}");
    assert!(told.out.contains("as package mine"), "{told:?}");
    let list = course.tell(&["list"]);
    assert_eq!(list.status, Some(0), "{list:?}");
    assert_eq!(
        list.out.matches("All about greeting").count(),
        1,
        "{list:?}"
    );
}

#[test]
fn when_cargo_fails_nothing_is_left_and_what_it_said_is_told() {
    let course = SmallCourse::new();
    course.append(
        "lessons/greeting/Cargo.toml",
        "\n[dependencies]\nno-such-package = \"1\"\n",
    );
    let folder = folder();
    let told = copy(&course, "greeting", &folder.path().join("one/two"));
    assert!(told.error.contains("run `cargo fetch`"), "{told:?}");
    assert!(told.error.contains("no-such-package"), "{told:?}");
    assert_eq!(told.status, Some(1));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
mod cut_short {
    use super::{copy, copying, folder, names, told};
    use crate::small_course::SmallCourse;
    use crate::small_course::put_script;
    use std::fs;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    const LIMIT: Duration = Duration::from_mins(1);

    fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts a copy and waits until it waits for Cargo, for which a script that only sleeps is put.
    fn stuck(course: &SmallCourse, tools: &Path, dir: &Path) -> (Child, String) {
        let cargo = tools.join("cargo");
        let pid = tools.join("pid");
        let script = format!(
            "echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 60",
            pid.display()
        );
        put_script(&cargo, &script);
        let child = copying(course, "greeting", dir)
            .env("CARGO", &cargo)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("xtask starts");
        wait_until("cargo is called", || pid.exists());
        let cargo = fs::read_to_string(&pid).expect("its process id");
        (child, cargo.trim().to_owned())
    }

    fn send(signal: &str, pid: &str) {
        let kill = told(Command::new("kill").args(["-s", signal, pid]));
        assert_eq!(kill.status, Some(0), "{kill:?}");
    }

    fn is_gone(pid: &str) -> bool {
        let state = told(Command::new("ps").args(["-o", "stat=", "-p", pid])).out;
        state.trim().is_empty() || state.trim().starts_with('Z')
    }

    #[test]
    fn an_interrupted_copy_leaves_nothing() {
        let course = SmallCourse::new();
        for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
            let (tools, folder) = (folder(), folder());
            let (mut child, cargo) = stuck(&course, tools.path(), &folder.path().join("one/two"));
            assert_eq!(names(folder.path()).len(), 1, "the staging folder");
            send(signal, &child.id().to_string());
            let mut status = None;
            wait_until("xtask ends", || {
                status = child.try_wait().expect("its state");
                status.is_some()
            });
            let ended_by = status.and_then(|status| status.signal());
            assert_eq!(ended_by, Some(number), "it ends as by the signal");
            wait_until("cargo is ended too", || is_gone(&cargo));
            assert_eq!(names(folder.path()), [""; 0]);
        }
    }

    #[test]
    fn what_a_killed_copy_left_is_cleared_by_the_next() {
        let course = SmallCourse::new();
        for into_empty in [false, true] {
            let (tools, folder) = (folder(), folder());
            let dir = folder.path().join("mine");
            if into_empty {
                fs::create_dir(&dir).expect("an empty folder");
            }
            let before = names(folder.path()).len();
            let (mut child, cargo) = stuck(&course, tools.path(), &dir);
            child.kill().expect("it is killed");
            child.wait().expect("it has ended");
            send("KILL", &cargo);
            let left = names(folder.path()).len() - before;
            assert_eq!(left, 1, "the staging folder is left");
            let told = copy(&course, "greeting", &dir);
            assert_eq!(told.status, Some(0), "{told:?}");
            assert!(dir.join("src/main.rs").exists());
            assert_eq!(names(folder.path()), ["mine"]);
        }
    }

    #[test]
    fn a_full_disk_leaves_nothing() {
        let course = SmallCourse::new();
        course.write("lessons/greeting/large.txt", &"x".repeat(1 << 20));
        let folder = folder();
        let copying = copying(&course, "greeting", &folder.path().join("mine"));
        // No file may be larger than some kilobytes: to a program it is as if the disk were full.
        let mut command = Command::new("sh");
        command
            .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""])
            .arg(copying.get_program())
            .args(copying.get_args())
            .current_dir(copying.get_current_dir().expect("the course"))
            .envs(
                copying
                    .get_envs()
                    .filter_map(|(key, value)| Some((key, value?))),
            );
        let told = told(&mut command);
        assert!(
            told.error.contains("large.txt cannot be written"),
            "{told:?}"
        );
        assert_eq!(told.status, Some(1));
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

//! `cargo xtask copy`: a copy builds and runs anywhere; if it can't be made, nothing is left.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::exercise::{lessons, root, text};
use crate::small_course::{Run, SmallCourse, run_to_end, xtask};

/// The copies only have to build and run, not to be fast.
const SETTINGS: [&str; 3] = [
    "profile.dev.opt-level=0",
    "profile.dev.debug=false",
    "profile.dev.incremental=false",
];

#[test]
fn every_lesson_can_be_copied_to_a_project_that_builds_and_runs_anywhere() {
    let outside = folder();
    let workspace = outside.path().join("workspace");
    fs::create_dir_all(workspace.join("src")).expect("a folder");
    fs::write(workspace.join("src/lib.rs"), "").expect("a file");
    let manifest = "[package]\nname = \"one\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(workspace.join("Cargo.toml"), manifest).expect("a file");
    // In the same folder, one after the other, so that shared crates are built only once.
    let dir = workspace.join("a folder with spaces");
    let lessons = lessons();
    for special in ["naming", "pipe"] {
        assert!(lessons.iter().any(|lesson| lesson == special));
    }
    for lesson in lessons {
        let _ = fs::remove_dir_all(&dir);
        let copied = run_to_end(xtask(root(), &["copy", &lesson]).arg(&dir));
        assert_eq!(copied.status, Some(0), "{lesson}: {copied:?}");
        // As old as those of the previous copy, so that Cargo doesn't build them again.
        let touch = ["-exec", "touch", "-d", "2001-01-01", "{}", "+"];
        let touched = run_to_end(Command::new("find").arg(dir.join("crates")).args(touch));
        assert_eq!(touched.status, Some(0), "{touched:?}");

        versions_are_those_of_the_course(&dir);
        let mut package = lesson.clone();
        if lesson == "naming" {
            // Renamed as the copy's README describes.
            package = "my-naming".to_owned();
            let manifest = text(&dir.join("Cargo.toml"));
            let manifest = manifest.replacen("\nname = \"", "\nname = \"my-", 1);
            fs::write(dir.join("Cargo.toml"), manifest).expect("another name");
            cargo(&dir, &["build"]);
        }
        let steps = cargo(&dir, &["run", "--locked", "--", "--list"]);
        let steps: Vec<&str> = steps.lines().collect();
        commands_work_in_the_copy(&dir, &lesson, &steps);
        cargo(&dir, &["run", "--locked", "--", steps[0]]);
        let solution = format!("{lesson}-solution");
        cargo(&dir, &["run", "--locked", "--example", &solution]);
        if lesson == "pipe" {
            cargo(&dir, &["test", "--locked"]);
        }
        // The next run of the test uses another folder: build output would pile up.
        cargo(&dir, &["clean", "-p", &package]);
    }
    cargo(&dir, &["clean", "-p", "support", "-p", "multiprocess"]);
    // The workspace around the copies still works.
    cargo(&workspace, &["build"]);
}

/// Runs Cargo successfully without a network.
fn cargo(dir: &Path, arguments: &[&str]) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copies");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["--quiet", "--offline"])
        .args(SETTINGS.iter().flat_map(|setting| ["--config", setting]))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .current_dir(dir);
    let Run { out, error, status } = run_to_end(&mut command);
    let shown = dir.display();
    assert_eq!(status, Some(0), "{shown}: {arguments:?}: {out}{error}");
    out
}

/// Checks that external packages have the same versions as in the course, by their checksums.
fn versions_are_those_of_the_course(dir: &Path) {
    let checksums = |folder: &Path| {
        let lock = text(&folder.join("Cargo.lock"));
        let lines = lock.lines().filter(|line| line.starts_with("checksum"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (of_course, of_copy) = (checksums(root()), checksums(dir));
    assert!(of_copy.iter().all(|checksum| of_course.contains(checksum)));
    let number = of_copy.len();
    assert!(
        (20..of_course.len()).contains(&number),
        "unused packages are removed"
    );
}

/// Checks that the README marks commands that work only in the course, and that no link leads out.
fn commands_work_in_the_copy(dir: &Path, lesson: &str, steps: &[&str]) {
    let readme = text(&dir.join("README.md"));
    let about = readme.split_once("## About this project");
    let (script, about) = about.expect("the last section");
    for line in script.lines() {
        if let Some(command) = line.strip_prefix("$ cargo run -q -- ") {
            let step = command.split(' ').next().unwrap_or_default();
            assert!(steps.contains(&step), "{lesson}: {line}");
        }
        let is_fitting = match line.split_once("`cargo xtask ") {
            Some((before, after)) => before.contains("// ") || after.contains("` (in the course)"),
            None => !line.contains("cargo xtask"),
        };
        assert!(is_fitting, "{lesson}: {line}");
        assert!(!line.contains(&format!(" -p {lesson}")), "{lesson}: {line}");
        assert!(!line.contains("](../"), "{lesson}: {line}");
    }
    assert!(about.contains(&format!("`cargo run -q -- {}`", steps[0])));
    assert!(about.contains(&format!("`python3 {lesson}.py")));
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.display().to_string()).collect();
    names.sort();
    names
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for copies")
}

#[test]
fn a_copy_contains_only_what_the_lesson_needs() {
    let course = SmallCourse::new();
    course.write(
        "crates/extra/Cargo.toml",
        "[package]\nname = \"extra\"\nedition = \"2024\"\n\n[dependencies]\n\
         more = { path = \"../more\" }\n\n[dev-dependencies]\nno-such-package = \"1\"\n\n\
         [[test]]\nname = \"own\"\n",
    );
    course.write("crates/extra/src/lib.rs", "");
    course.write("crates/extra/tests/own.rs", "this does not compile");
    let manifest = "[package]\nname = \"more\"\nedition = \"2024\"\n";
    course.write("crates/more/Cargo.toml", manifest);
    course.write("crates/more/src/lib.rs", "");
    course.write("crates/unused/Cargo.toml", "");
    course.append(
        "lessons/greeting/Cargo.toml",
        "\n[dependencies]\nextra = { path = \"../../crates/extra\" } # kept\n",
    );
    course.append(
        "lessons/greeting/README.md",
        "\n## Exercise\n\nDo it. `cargo xtask exercise greeting` shows\nmore.\n\n\
         ## More\n\nSee [the *other*](../trouble/README.md), `cargo xtask timeline greeting\nhello`\n\
         and `python3 lessons/greeting/greeting.py`.\n\n\
         ```rust\n// for `cargo xtask timeline`\n```\n\n\
         ## Take this lesson with you\n\nHow to copy it.\n",
    );
    course.write("lessons/greeting/target/built", "");
    let secret = course.path("secret");
    fs::create_dir(&secret).expect("a folder");
    std::os::unix::fs::symlink(secret, course.path("lessons/greeting/link")).expect("a link");

    let folder = folder();
    let dir = folder.path().join("new folder/mine");
    let copied = run_to_end(course.command(&["copy", "greeting"]).arg(&dir));
    assert_eq!((copied.error.as_str(), copied.status), ("", Some(0)));
    let cd = format!("\n  cd \"{}\"\n", dir.display());
    assert!(copied.out.contains(&cd), "{}", copied.out);

    let expected = ".gitignore Cargo.lock Cargo.toml README.md crates src tests";
    assert_eq!(names(&dir).join(" "), expected);
    assert_eq!(names(&dir.join("crates")), ["extra", "more"]);
    assert_eq!(names(&dir.join("crates/extra")), ["Cargo.toml", "src"]);
    let manifest = text(&dir.join("Cargo.toml"));
    for part in [
        "\nextra = { path = \"crates/extra\" } # kept\n",
        "\n[workspace]\nexclude = [\"crates\"]\n",
    ] {
        assert!(manifest.contains(part), "no {part:?} in {manifest}");
    }

    let readme = text(&dir.join("README.md"));
    for part in [
        "# All about greeting\n\nThis project is a copy of a lesson in a course.",
        "\n$ cargo run -q -- hello\n",
        "\nDo it. `cargo xtask exercise greeting` (in the course) shows\nmore.\n",
        "\nSee the *other*, `cargo xtask timeline greeting\nhello` (in the course)\n",
        "\nand `python3 greeting.py`.\n",
        "\n// for `cargo xtask timeline`\n",
        "\n\n## About this project\n",
        "| `cargo run -q -- hello` | runs one step;",
        "| `cargo run -q --example greeting-exercise` | checks",
    ] {
        assert!(readme.contains(part), "no {part:?} in {readme}");
    }
    assert!(!readme.contains("How to copy it"), "{readme}");

    // The course still works with a copy among its lessons, or in one.
    for dir in ["lessons/mine", "lessons/greeting/mine", "again"] {
        let copied = course.run(&["copy", "greeting", dir]);
        assert_eq!(copied.status, Some(0), "{copied:?}");
        let mut metadata = Command::new("cargo");
        metadata.args(["metadata", "--locked", "--offline", "--format-version=1"]);
        let metadata = run_to_end(metadata.current_dir(course.path(dir)));
        assert_eq!(metadata.status, Some(0), "{metadata:?}");
        assert!(!course.path(dir).join("mine").exists());
    }
}

#[test]
fn a_copy_that_cannot_be_made_is_refused_and_nothing_is_changed() {
    let course = SmallCourse::new();
    for (arguments, expected) in [
        (&["copy"][..], "cargo xtask copy pool ../my-pool"),
        (&["copy", "greeting"], "give a lesson and a folder"),
        (&["copy", "greting", "new"], "did you mean `greeting`?"),
        (&["copy", "greeting", "new", "more"], "unexpected argument"),
        (&["copy", "greeting", "new", "--name"], "--name"),
        (&["copy", "greeting", ""], "empty path"),
        (
            &["copy", "greeting", "lessons/trouble"],
            "not an empty folder",
        ),
        (&["copy", "greeting", "Cargo.toml"], "not an empty folder"),
    ] {
        let run = course.run(arguments);
        assert!(run.error.contains(expected), "{arguments:?}: {run:?}");
        assert_eq!((run.out.as_str(), run.status), ("", Some(2)), "{run:?}");
    }
    assert_eq!(names(&course.path("")), ["Cargo.toml", "lessons"]);
    let lesson = names(&course.path("lessons/greeting"));
    assert_eq!(lesson, ["Cargo.toml", "README.md", "src"]);
}

#[test]
fn when_cargo_fails_nothing_is_left_and_its_error_is_shown() {
    let course = SmallCourse::new();
    let dependency = "\n[dependencies]\nno-such-package = \"1\"\n";
    course.append("lessons/greeting/Cargo.toml", dependency);
    let (new, empty) = (folder(), folder());
    for dir in [new.path().join("one/two"), empty.path().to_owned()] {
        let run = run_to_end(course.command(&["copy", "greeting"]).arg(dir));
        assert!(run.error.contains("run `cargo fetch`"), "{run:?}");
        assert!(run.error.contains("no-such-package"), "{run:?}");
        assert_eq!(run.status, Some(1));
    }
    assert_eq!((names(new.path()), names(empty.path())), (vec![], vec![]));
}

//! `cargo xtask copy`: a copy is a project that builds and runs wherever it lies, or there is none.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::exercise::{lessons, root};
use crate::small_course::{SmallCourse, Told, told, xtask};

/// The copies are here to be built and run, not to be quick.
const SETTINGS: [&str; 3] = [
    "profile.dev.opt-level=0",
    "profile.dev.debug=false",
    "profile.dev.incremental=false",
];

#[test]
fn every_lesson_becomes_a_project_that_builds_and_runs_anywhere() {
    let outside = folder();
    let workspace = outside.path().join("workspace");
    fs::create_dir_all(workspace.join("src")).expect("a folder");
    fs::write(workspace.join("src/lib.rs"), "").expect("a file");
    let manifest = "[package]\nname = \"one\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(workspace.join("Cargo.toml"), manifest).expect("a file");
    // In one place, one after the other, so that what they share is built once.
    let dir = workspace.join("a folder with spaces");
    let lessons = lessons();
    for special in ["naming", "pipe"] {
        assert!(lessons.iter().any(|lesson| lesson == special));
    }
    for lesson in lessons {
        let _ = fs::remove_dir_all(&dir);
        let copied = told(xtask(root(), &["copy", &lesson]).arg(&dir));
        assert_eq!(copied.status, Some(0), "{lesson}: {copied:?}");
        // As old as those of the copy before: what was built of them there does for this one.
        let touch = ["-exec", "touch", "-d", "2001-01-01", "{}", "+"];
        let touched = told(Command::new("find").arg(dir.join("crates")).args(touch));
        assert_eq!(touched.status, Some(0), "{touched:?}");

        versions_are_those_of_the_course(&dir);
        let mut package = lesson.clone();
        if lesson == "naming" {
            // Another name, as the copy's README describes it.
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
        // The copies lie elsewhere the next time: what was built for them would pile up.
        cargo(&dir, &["clean", "-p", &package]);
    }
    cargo(&dir, &["clean", "-p", "support", "-p", "multiprocess"]);
    // The workspace around the copies still works.
    cargo(&workspace, &["build"]);
}

/// Runs Cargo to a good end without a network.
fn cargo(dir: &Path, arguments: &[&str]) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copies");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["--quiet", "--offline"])
        .args(SETTINGS.iter().flat_map(|setting| ["--config", setting]))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .current_dir(dir);
    let Told { out, error, status } = told(&mut command);
    let shown = dir.display();
    assert_eq!(status, Some(0), "{shown}: {arguments:?}: {out}{error}");
    out
}

/// Each package that is not the project's own has the version of the course: the same checksum.
fn versions_are_those_of_the_course(dir: &Path) {
    let checksums = |folder: &Path| {
        let lock = text(&folder.join("Cargo.lock"));
        let lines = lock.lines().filter(|line| line.starts_with("checksum"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (of_course, of_copy) = (checksums(root()), checksums(dir));
    assert!(of_copy.iter().all(|checksum| of_course.contains(checksum)));
    let number = of_copy.len();
    assert!((20..of_course.len()).contains(&number), "the rest is gone");
}

/// The README names no command that works only in the course, unless it says so, and no link leads out.
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

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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
fn a_copy_has_what_the_lesson_needs_and_nothing_else() {
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
         ## More\n\nSee [the *other*](../trouble/README.md), `cargo xtask timeline greeting hello`\n\
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
    let copied = told(course.command(&["copy", "greeting"]).arg(&dir));
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
        "# All about greeting\n\nThis is a project of its own,",
        "\n$ cargo run -q -- hello\n",
        "\nDo it. `cargo xtask exercise greeting` (in the course) shows\nmore.\n",
        "\nSee the *other*, `cargo xtask timeline greeting hello` (in the course)\n",
        "\nand `python3 greeting.py`.\n",
        "\n// for `cargo xtask timeline`\n",
        "\n\n## About this project\n",
        "| `cargo run -q -- hello` | runs one step;",
        "| `cargo run -q --example greeting-exercise` | checks",
    ] {
        assert!(readme.contains(part), "no {part:?} in {readme}");
    }
    assert!(!readme.contains("How to copy it"), "{readme}");

    // The course goes on with a copy among its lessons, or in one.
    for dir in ["lessons/mine", "lessons/greeting/mine", "again"] {
        let copied = course.tell(&["copy", "greeting", dir]);
        assert_eq!(copied.status, Some(0), "{copied:?}");
        let mut metadata = Command::new("cargo");
        metadata.args(["metadata", "--locked", "--offline", "--format-version=1"]);
        let metadata = told(metadata.current_dir(course.path(dir)));
        assert_eq!(metadata.status, Some(0), "{metadata:?}");
        assert!(!course.path(dir).join("mine").exists());
    }
}

#[test]
fn what_cannot_be_copied_is_refused_and_nothing_is_changed() {
    let course = SmallCourse::new();
    for (arguments, expected) in [
        (&["copy"][..], "cargo xtask copy pool ../my-pool"),
        (&["copy", "greeting"], "a lesson and a folder are needed"),
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
        let told = course.tell(arguments);
        assert!(told.error.contains(expected), "{arguments:?}: {told:?}");
        assert_eq!((told.out.as_str(), told.status), ("", Some(2)), "{told:?}");
    }
    assert_eq!(names(&course.path("")), ["Cargo.toml", "lessons"]);
    let lesson = names(&course.path("lessons/greeting"));
    assert_eq!(lesson, ["Cargo.toml", "README.md", "src"]);
}

#[test]
fn when_cargo_fails_nothing_is_left_and_what_it_said_is_told() {
    let course = SmallCourse::new();
    let dependency = "\n[dependencies]\nno-such-package = \"1\"\n";
    course.append("lessons/greeting/Cargo.toml", dependency);
    let (new, empty) = (folder(), folder());
    for dir in [new.path().join("one/two"), empty.path().to_owned()] {
        let told = told(course.command(&["copy", "greeting"]).arg(dir));
        assert!(told.error.contains("run `cargo fetch`"), "{told:?}");
        assert!(told.error.contains("no-such-package"), "{told:?}");
        assert_eq!(told.status, Some(1));
    }
    assert_eq!((names(new.path()), names(empty.path())), (vec![], vec![]));
}

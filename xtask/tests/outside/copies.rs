//! Every lesson of this course, copied: each copy is a project that builds without a network and
//! with the versions that the course has, wherever it lies, and its steps run.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::small_course::{Told, told, xtask};

/// How long one call of Cargo may take.
const LIMIT: Duration = Duration::from_mins(10);

/// The copies are here to be built and run, not to be quick.
const SETTINGS: [&str; 3] = [
    "profile.dev.opt-level=0",
    "profile.dev.debug=false",
    "profile.dev.incremental=false",
];

#[test]
fn every_lesson_becomes_a_project_that_builds_and_runs_anywhere() {
    let _turn = turn();
    let outside = tempfile::tempdir().expect("a folder outside");
    let inside = course().join("target");
    let inside_was_there = inside.exists();
    let in_target = inside.join("copy-of-a-lesson");
    for left_by_a_killed_run in [&copies(), &in_target] {
        let _ = fs::remove_dir_all(left_by_a_killed_run);
    }
    let workspace = other_workspace();

    for (index, lesson) in lessons().iter().enumerate() {
        let dir = match index {
            0 => outside.path().join(lesson),
            1 => copies().join("a folder with spaces").join(lesson),
            2 => workspace.join(lesson),
            3 => in_target.clone(),
            _ => copies().join(lesson),
        };
        let name = format!("my-{lesson}");
        let renamed: &[&str] = if index == 4 { &["--name", &name] } else { &[] };
        copy(lesson, &dir, renamed);
        versions_are_those_of_the_course(&dir);
        texts_are_about_the_copy(&dir, lesson);

        cargo(&dir, "run", &LOCKED, &["--", first_step(lesson).as_str()]);
        match index {
            // What was built for a path that will not come again.
            0 => cargo(&dir, "clean", &[], &["--workspace"]),
            3 => {
                cargo(&dir, "test", &LOCKED, &[]);
                fs::remove_dir_all(&dir).expect("the copy can be removed");
            }
            4 => {
                let manifest = dir.join("Cargo.toml");
                let text = read(&manifest);
                assert!(text.contains("name = \"my-"), "{text}");
                // By hand, as the copy's README says.
                let text = text.replacen(&name, "by-hand", 1);
                fs::write(&manifest, text).expect("another name");
                cargo(&dir, "build", &["--offline"], &[]);
                cargo(&dir, "run", &LOCKED, &["--", "--list"]);
            }
            _ => {}
        }
    }
    // The workspace around a copy still works.
    cargo(&workspace, "build", &["--offline"], &[]);
    if !inside_was_there {
        fs::remove_dir(inside).expect("nothing else is in it");
    }
}

const LOCKED: [&str; 2] = ["--offline", "--locked"];

/// Where most copies lie: always the same place, so that what is built for them is replaced and does
/// not grow.
fn copies() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("copies")
}

/// Waits for another run of these tests, of which all use the same folders.
fn turn() -> File {
    let path = copies().with_file_name("copies.lock");
    let file = File::create(path).expect("a file");
    let start = Instant::now();
    while file.try_lock().is_err() {
        assert!(start.elapsed() < LIMIT, "another run of this test goes on");
        thread::sleep(Duration::from_millis(100));
    }
    file
}

fn course() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("the root of the checkout")
}

/// A workspace of one package.
fn other_workspace() -> PathBuf {
    let root = copies().join("workspace");
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n",
        ),
        (
            "crates/one/Cargo.toml",
            "[package]\nname = \"one\"\nedition = \"2024\"\n",
        ),
        ("crates/one/src/lib.rs", ""),
    ];
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    root
}

fn lessons() -> Vec<String> {
    let folders = fs::read_dir(course().join("lessons")).expect("the lessons");
    let folders = folders.map(|entry| entry.expect("a lesson").path());
    let lessons = folders.filter(|folder| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.contains("[package.metadata.lesson]"))
    });
    let names = lessons.filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.len() >= 5, "each place is tried: {names:?}");
    names
}

fn first_step(lesson: &str) -> String {
    let readme = read(&course().join("lessons").join(lesson).join("README.md"));
    let mut steps = readme.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("## ")?.split_once(": ")?;
        (!name.contains(' ')).then(|| name.to_owned())
    });
    steps.next().expect("a step")
}

fn copy(lesson: &str, dir: &Path, more: &[&str]) {
    let dir = dir.to_str().expect("a path that is text");
    let arguments = [&["copy", lesson, dir], more].concat();
    let Told { out, error, status } = told(&mut xtask(course(), &arguments));
    assert_eq!(status, Some(0), "{lesson}: {out}{error}");
}

/// Each package that is not the project's own has the version and the checksum of the course.
fn versions_are_those_of_the_course(dir: &Path) {
    let of_course = locked(&course().join("Cargo.lock"));
    let of_copy = locked(&dir.join("Cargo.lock"));
    let others: Vec<_> = of_copy.difference(&of_course).collect();
    assert!(others.is_empty(), "{}: {others:#?}", dir.display());
    assert!(of_copy.len() > 20, "{}: {}", dir.display(), of_copy.len());
    assert!(
        of_copy.len() < of_course.len(),
        "what is not needed is gone"
    );
}

fn locked(path: &Path) -> BTreeSet<String> {
    let text = read(path);
    let packages = text.split("[[package]]\n").skip(1);
    let packages = packages.filter(|package| package.contains("checksum = "));
    let lines = packages.map(|package| package.split("dependencies = ").next().unwrap_or(package));
    lines.map(|package| package.trim().to_owned()).collect()
}

/// No command names the package, and no link leads out of the copy.
fn texts_are_about_the_copy(dir: &Path, lesson: &str) {
    let readme = read(&dir.join("README.md"));
    assert!(!readme.contains(&format!("-p {lesson}")), "{lesson}");
    assert!(!readme.contains("](../"), "{lesson}");
    assert!(!readme.contains("cargo xtask exercise"), "{lesson}");
    assert!(!readme.contains("## Take this lesson with you"), "{lesson}");
    assert!(readme.contains("## About this project"), "{lesson}");
    let original = read(&course().join("lessons").join(lesson).join("README.md"));
    assert!(
        original.contains("## Take this lesson with you"),
        "{lesson}"
    );
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs Cargo in a copy to a good end.
fn cargo(dir: &Path, task: &str, options: &[&str], arguments: &[&str]) {
    let said = copies().join("cargo-said");
    let file = File::create(&said).expect("a file");
    let mut child = Command::new(env!("CARGO"))
        .arg(task)
        .arg("--quiet")
        .args(options)
        .args(SETTINGS.iter().flat_map(|setting| ["--config", setting]))
        .args(arguments)
        .env("CARGO_TARGET_DIR", copies().with_file_name("copies-target"))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("the file"))
        .stderr(file)
        .spawn()
        .expect("cargo starts");
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("cargo can be waited for") {
            Some(status) => break status,
            None if start.elapsed() < LIMIT => thread::sleep(Duration::from_millis(20)),
            None => {
                child.kill().expect("cargo can be ended");
                panic!("{}: cargo {task} takes more than {LIMIT:?}", dir.display());
            }
        }
    };
    assert!(
        status.success(),
        "{}: cargo {task}: {}",
        dir.display(),
        read(&said)
    );
}

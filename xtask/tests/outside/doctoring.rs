//! `cargo xtask doctor` under odd conditions.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::counterparts::{path_with, stand_in};
use crate::small_course::{SmallCourse, Told, awaited, finished, told, xtask};

/// Gives the line of the table about one thing.
fn row<'a>(told: &'a Told, what: &str) -> &'a str {
    let line = told.out.lines().find(|line| line.starts_with(what));
    line.unwrap_or_else(|| panic!("no row about {what}: {told:?}"))
}

/// Calls the doctor from a shell, which changes something first.
fn doctor_after(course: &SmallCourse, change: &str) -> Told {
    let doctor = course.command(&["doctor"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{change}\nexec \"$0\" \"$@\"")])
        .arg(doctor.get_program())
        .args(doctor.get_args())
        .current_dir(doctor.get_current_dir().expect("the course"))
        .envs(
            doctor
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
    told(&mut command)
}

#[test]
fn every_row_has_its_verdict_and_every_note_its_advice() {
    let course = SmallCourse::new();
    course.write("Cargo.lock", "");
    let told = course.tell(&["doctor", "--plain"]);
    let verdicts = told.out.lines().filter_map(|line| line.rsplit("  ").next());
    let noted = verdicts.filter(|word| ["note", "PROBLEM"].contains(&word.trim()));
    let advice = told.out.lines().filter(|line| line.starts_with("- "));
    assert_eq!(noted.count(), advice.count(), "{told:?}");
    for what in [
        "system",
        "Rust",
        "Cargo",
        "packages",
        "cores",
        "shared memory",
        "open files",
    ] {
        row(&told, what);
    }
    assert!(row(&told, "Rust").ends_with(" ok"), "{told:?}");
    assert!(!told.out.contains('\u{1b}'), "plain: {told:?}");
    assert!(
        told.out.lines().all(|line| line.chars().count() <= 80),
        "{told:?}"
    );
}

#[test]
fn too_few_files_are_a_problem() {
    let told = doctor_after(&SmallCourse::new(), "ulimit -n 20");
    assert!(row(&told, "open files").ends_with(" PROBLEM"), "{told:?}");
    assert!(row(&told, "open files").contains("up to 20"), "{told:?}");
    assert!(told.out.contains("`ulimit -n 1024`"), "{told:?}");
    assert!(
        told.out.contains("The course cannot be played here"),
        "{told:?}"
    );
    assert_eq!(told.status, Some(1));
}

#[test]
fn without_a_path_nothing_is_found_and_all_else_is_told() {
    let told = doctor_after(&SmallCourse::new(), "unset CARGO RUSTC; PATH=/nowhere");
    assert!(
        row(&told, "Rust").contains("rustc is not found"),
        "{told:?}"
    );
    assert!(row(&told, "Cargo").ends_with(" PROBLEM"), "{told:?}");
    assert!(row(&told, "Python").ends_with(" note"), "{told:?}");
    assert!(row(&told, "mdBook").ends_with(" note"), "{told:?}");
    assert_eq!(told.status, Some(1));
}

#[test]
fn an_unusable_temporary_folder_is_a_problem() {
    let course = SmallCourse::new();
    for place in ["/nowhere", "$PWD/Cargo.toml"] {
        let told = doctor_after(&course, &format!("TMPDIR={place}; export TMPDIR"));
        assert!(
            told.out.contains("- temporary files: Set `TMPDIR`"),
            "{told:?}"
        );
        assert_eq!(told.status, Some(1));
    }
}

/// A lesson's program has something to share, and is killed.
#[test]
fn what_a_killed_program_left_is_seen_until_it_is_cleared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the checkout");
    let build = told(
        Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "value-array"])
            .current_dir(root),
    );
    assert_eq!(build.status, Some(0), "{build:?}");
    let program = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name("value-array");
    // Other programs share memory too: this one has its files in a folder of its own.
    let temporary = tempfile::tempdir().expect("a folder");
    let isolate = |command: &mut Command| {
        command
            .env("MULTIPROCESS_PORTABLE", "1")
            .env("TMPDIR", temporary.path());
    };
    let lesson = || {
        let mut command = Command::new(&program);
        isolate(&mut command);
        command
    };
    let left = || {
        let mut doctor = xtask(root, &["doctor"]);
        isolate(&mut doctor);
        let told = told(&mut doctor);
        row(&told, "left by killed programs").to_owned()
    };

    let mut owner = lesson()
        .arg("--owner")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the lesson's program starts");
    let mut lines = BufReader::new(owner.stdout.take().expect("its output")).lines();
    let first = awaited(&mut owner, "it is ready", move || lines.next());
    let first = first.expect("a line").expect("it can be read");
    assert_eq!(first, "ready");
    assert!(
        left().contains("nothing"),
        "a living program has left nothing"
    );
    owner.kill().expect("it is killed");
    owner.wait().expect("it has ended");
    assert!(left().contains("what 1 run shared"), "{}", left());
    let listed = told(lesson().arg("--list"));
    assert_eq!(listed.status, Some(0), "{listed:?}");
    assert!(left().contains("nothing"), "{}", left());
}

/// A program that does not answer within 20 s is ended.
#[test]
fn the_time_for_which_it_is_suspended_does_not_count() {
    let script = "here=${0%/*}; touch \"$here/asked\"\n\
                  until test -e \"$here/answer\"; do sleep 0.05; done; echo 3.9.0; echo fork";
    let python = stand_in(script);
    let course = SmallCourse::new();
    let mut command = course.command(&["doctor"]);
    let doctor = command
        .env("PATH", path_with(python.path()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let id = doctor.id().to_string();
    let signal = |name: &str| {
        let kill = told(Command::new("kill").args(["-s", name, &id]));
        assert_eq!(kill.status, Some(0), "{kill:?}");
    };
    wait_until("python3 is asked", || python.path().join("asked").exists());
    signal("TSTP");
    wait_until("it stops", || {
        let state = told(Command::new("ps").args(["-o", "stat=", "-p", &id]));
        state.out.trim().starts_with('T')
    });
    thread::sleep(Duration::from_secs(21));
    signal("CONT");
    fs::write(python.path().join("answer"), "").expect("a new file");
    let told = finished(doctor);
    assert!(row(&told, "Python").contains("3.9.0"), "{told:?}");
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}: not yet");
        thread::sleep(Duration::from_millis(20));
    }
}

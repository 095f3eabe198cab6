//! `cargo xtask doctor`: what it finds in a good setup and in a bad one.

use std::process::Command;

use crate::counterparts::{path_with, stand_in};
use crate::small_course::{SmallCourse, Told, told};

/// Runs the doctor from a shell, which changes something first.
fn doctor_after(course: &SmallCourse, change: &str) -> Told {
    let python = stand_in("echo Python 3.9.0");
    let doctor = course.command(&["doctor"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{change}\nexec \"$0\" \"$@\"")])
        .arg(doctor.get_program())
        .args(doctor.get_args())
        .current_dir(course.path("."))
        .env("CARGO_MANIFEST_DIR", course.path("."))
        .env("PATH", path_with(python.path()))
        .env_remove("CARGO_TARGET_DIR");
    told(&mut shell)
}

/// Checks the verdict on one thing.
#[track_caller]
fn assert_row(told: &Told, what: &str, verdict: &str) {
    let row = told.out.lines().find(|line| line.starts_with(what));
    let row = row.unwrap_or_else(|| panic!("no row about {what}: {told:?}"));
    assert!(row.ends_with(&format!(" {verdict}")), "{told:?}");
}

#[test]
fn a_good_setup_is_ok_and_each_problem_comes_with_its_remedy() {
    let course = SmallCourse::new();
    let lock = told(
        Command::new(env!("CARGO"))
            .arg("generate-lockfile")
            .current_dir(course.path(".")),
    );
    assert_eq!(lock.status, Some(0), "{lock:?}");
    let good = doctor_after(&course, "");
    let rows = good.out.lines().filter(|line| line.ends_with(" ok"));
    assert_eq!(rows.count(), 8, "{good:?}");
    assert!(good.out.ends_with("You can play the course here.\n"));
    assert!(!good.out.contains("\n- "), "no remedy is needed: {good:?}");
    assert_eq!(good.status, Some(0));

    // Cargo knows where it builds: here below a file, where no folder can be made.
    course.write(
        ".cargo/config.toml",
        "[build]\ntarget-dir = \"Cargo.toml/target\"\n",
    );
    let change = "ulimit -n 20; export TMPDIR=/nowhere RUSTC=/nowhere/rustc PATH=/nowhere";
    let bad = doctor_after(&course, change);
    for (check, remedy) in [
        ("Rust", "`rustup update`"),
        ("packages", "`cargo fetch --locked`"),
        ("target folder", "`CARGO_TARGET_DIR`"),
        ("temporary files", "Set `TMPDIR`"),
        ("open files", "`ulimit -n 1024`"),
    ] {
        assert_row(&bad, check, "PROBLEM");
        let (_, remedies) = bad
            .out
            .split_once(&format!("\n- {check}: "))
            .expect("a remedy");
        let remedies = remedies.replace("\n  ", " ");
        let own = remedies.split('\n').next().expect("a remedy");
        assert!(own.contains(remedy), "{check}: {bad:?}");
    }
    assert_row(&bad, "Python", "note");
    assert_row(&bad, "checkout", "ok");
    assert!(
        bad.out.contains("You can't play the course here"),
        "{bad:?}"
    );
    assert!(
        bad.out.lines().all(|line| line.chars().count() <= 80),
        "{bad:?}"
    );
    assert_eq!(bad.status, Some(1));
}

//! `cargo xtask doctor`: a good setup and a bad one.

use std::process::Command;

use crate::counterparts::{path_with, stand_in};
use crate::small_course::{Run, SmallCourse, run_to_end};

/// Runs the doctor in a shell, after some changes.
fn doctor_after(course: &SmallCourse, change: &str) -> Run {
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
    run_to_end(&mut shell)
}

#[test]
fn a_good_setup_is_ok_and_each_problem_comes_with_a_remedy() {
    let course = SmallCourse::new();
    let mut lock = Command::new(env!("CARGO"));
    lock.arg("generate-lockfile").current_dir(course.path("."));
    assert_eq!(run_to_end(&mut lock).status, Some(0));
    let good = doctor_after(&course, "");
    let rows = good.out.lines().filter(|line| line.ends_with(" ok"));
    assert_eq!(rows.count(), 8, "{good:?}");
    assert!(good.out.ends_with("You can play the course here.\n"));
    assert!(!good.out.contains("\n- "), "no remedy is needed: {good:?}");
    assert_eq!(good.status, Some(0));

    // Cargo's target folder is below a file, where no folder can be made.
    course.write(
        ".cargo/config.toml",
        "[build]\ntarget-dir = \"Cargo.toml/target\"\n",
    );
    let change = "ulimit -n 20; export TMPDIR=/nowhere RUSTC=/nowhere/rustc PATH=/nowhere";
    let bad = doctor_after(&course, change);
    let remedies = bad.out.replace("\n  ", " ");
    for (check, verdict, remedy) in [
        ("Rust", "PROBLEM", "`rustup update`"),
        ("packages", "note", "`cargo fetch --locked`"),
        ("target folder", "PROBLEM", "`CARGO_TARGET_DIR`"),
        ("temporary files", "PROBLEM", "Set `TMPDIR`"),
        ("open files", "PROBLEM", "`ulimit -n 1024`"),
        ("Python", "note", "Python 3.9"),
        ("checkout", "ok", ""),
    ] {
        let row = bad.out.lines().find(|line| line.starts_with(check));
        let row = row.unwrap_or_else(|| panic!("no row about {check}: {bad:?}"));
        assert!(row.ends_with(&format!(" {verdict}")), "{check}: {bad:?}");
        let own = format!("- {check}: ");
        let own = remedies.lines().find_map(|line| line.strip_prefix(&own));
        let is_explained = own.map_or(verdict == "ok", |own| own.contains(remedy));
        assert!(is_explained, "{check}: {bad:?}");
    }
    assert!(bad.out.contains("You can't play the course here"));
    let is_narrow = |line: &str| line.chars().count() <= 80;
    assert!(bad.out.lines().all(is_narrow), "{bad:?}");
    assert_eq!(bad.status, Some(1));
}

//! `cargo xtask doctor` under odd conditions.

use std::path::Path;
use std::process::Command;

use crate::small_course::{SmallCourse, Told, told};

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
        .envs(doctor.get_envs().filter_map(|(key, value)| Some((key, value?))));
    told(&mut command)
}

#[test]
fn every_row_has_its_verdict_and_every_note_its_advice() {
    let course = SmallCourse::new();
    course.write("Cargo.lock", "");
    let told = course.tell(&["doctor", "--plain"]);
    let rows: Vec<&str> = told.out.lines().skip_while(|line| !line.starts_with("---")).skip(1)
        .take_while(|line| !line.is_empty() || !line.starts_with("What to"))
        .collect();
    let noted = rows.iter().filter(|row| row.ends_with(" note") || row.ends_with(" PROBLEM"));
    let advice = told.out.lines().filter(|line| line.starts_with("- "));
    assert_eq!(noted.count(), advice.count(), "{told:?}");
    for what in ["system", "Rust", "Cargo", "packages", "cores", "shared memory", "open files"] {
        row(&told, what);
    }
    assert!(row(&told, "Rust").ends_with(" ok"), "{told:?}");
    assert!(!told.out.contains('\u{1b}'), "plain: {told:?}");
    assert!(told.out.lines().all(|line| line.chars().count() <= 80), "{told:?}");
}

//! Runs every step of the lesson, and checks that it succeeds.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_PROGRAM_NAME");

/// How long a step may take before it is ended.
const LIMIT: Duration = Duration::from_mins(5);

#[test]
fn every_step_succeeds() {
    let listed = Command::new(PROGRAM).arg("--list").output().unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success());
    assert_ne!(names, "", "there are no steps");
    for step in names.lines() {
        run(step);
    }
}

fn run(step: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{step}.txt"));
    let file = File::create(&path).unwrap();
    let mut child = Command::new(PROGRAM)
        .arg(step)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() && start.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(10));
    }
    let too_long = child.try_wait().unwrap().is_none();
    if too_long {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let output = fs::read_to_string(&path).unwrap();
    assert!(
        !too_long,
        "step {step} was still running after {LIMIT:?}\n{output}"
    );
    assert!(status.success(), "step {step}: {status}\n{output}");
}

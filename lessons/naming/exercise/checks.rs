//! The checks of the exercise, and the door of the office.

use super::{clerk, office, signature};
use anyhow::{Context, Result, ensure};
use multiprocess::Barrier;
use std::collections::HashSet;
use std::process;
use std::thread;
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    ("the main thread signs", main_thread_signs),
    ("a thread with a name signs with it", named_thread_signs),
    ("a thread without a name signs as ?", unnamed_thread_signs),
    ("a clerk and its thread sign", clerk_and_thread_sign),
    (
        "an office has a process for each name",
        office_has_processes,
    ),
    ("all clerks are in the office at the same time", same_time),
];

/// Waits until all clerks of the office are at the door.
pub fn enter(door: Barrier) {
    let waited = door.wait_timeout(Duration::from_secs(3));
    assert!(
        waited.is_ok(),
        "the other clerks were not at the door within 3 s"
    );
}

fn main_thread_signs() -> Result<()> {
    expect(&signature(), "MainProcess", process::id(), "main")
}

fn named_thread_signs() -> Result<()> {
    let reader = thread::Builder::new().name("reader".to_string());
    let signed = reader.spawn(signature)?.join();
    let signed = signed.ok().context("signature panicked")?;
    expect(&signed, "MainProcess", process::id(), "reader")
}

fn unnamed_thread_signs() -> Result<()> {
    let signed = thread::spawn(signature).join();
    let signed = signed.ok().context("signature panicked")?;
    expect(&signed, "MainProcess", process::id(), "?")
}

fn clerk_and_thread_sign() -> Result<()> {
    let anna = multiprocess::Builder::new().name("Anna");
    let anna = anna.spawn(clerk, (Barrier::new(1)?,))?;
    let pid = anna.pid();
    let signed = anna.join()?;
    ensure!(
        signed.len() == 2,
        "a clerk returns two signatures, not {}",
        signed.len()
    );
    expect(&signed[0], "Anna", pid, "main")?;
    expect(&signed[1], "Anna", pid, "stamp")
}

/// Runs an office for each name, so that no clerk waits for another.
fn office_has_processes() -> Result<()> {
    let mut pids = HashSet::from([process::id()]);
    for name in ["Anna", "Ben", "the new one"] {
        let signed = office(&[name], &Barrier::new(1)?)?;
        ensure!(
            signed.len() == 1,
            "one name makes one clerk, not {}",
            signed.len()
        );
        let pid = pid_of(name, &signed[0])?;
        ensure!(
            pids.insert(pid),
            "{name} has no process of its own: pid {pid} was seen before"
        );
    }
    Ok(())
}

fn same_time() -> Result<()> {
    let names = ["Anna", "Ben", "the new one"];
    let signed = office(&names, &Barrier::new(3)?)?;
    ensure!(
        signed.len() == 3,
        "three names make three clerks, not {}",
        signed.len()
    );
    for (name, signatures) in names.iter().zip(signed) {
        pid_of(name, &signatures)?;
    }
    Ok(())
}

/// Returns the pid in a clerk's second signature, which must have this name.
fn pid_of(name: &str, signatures: &[String]) -> Result<u32> {
    let stamp = signatures.last().context("a clerk did not sign")?;
    let pid = stamp
        .strip_prefix(&format!("{name}["))
        .and_then(|rest| rest.strip_suffix("]/stamp"))
        .and_then(|pid| pid.parse().ok());
    pid.with_context(|| format!("expected the signature {name}[PID]/stamp, found {stamp}"))
}

fn expect(signed: &str, process: &str, pid: u32, thread: &str) -> Result<()> {
    let expected = format!("{process}[{pid}]/{thread}");
    ensure!(
        signed == expected,
        "expected the signature {expected}, found {signed}"
    );
    Ok(())
}

//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use anyhow::Result;
use checks::enter;
use multiprocess::{Barrier, Builder, task};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    multiprocess::init([task(clerk)]);
    support::run_checks(checks::CHECKS)
}

/// Returns who calls: `Anna[4711]/stamp` is the thread `stamp` of the process `Anna`, whose pid is
/// 4711. A thread without a name signs as `?`.
pub fn signature() -> String {
    let process = multiprocess::current();
    let thread = thread::current();
    let thread_name = thread.name().unwrap_or("?");
    format!("{}[{}]/{thread_name}", process.name(), process.pid())
}

/// Returns two signatures: its own, and that of a thread `stamp`. Runs in a process of its own.
pub fn clerk(door: Barrier) -> Vec<String> {
    enter(door);
    let stamp = thread::Builder::new().name("stamp".to_string());
    let stamp = stamp.spawn(signature).unwrap();
    vec![signature(), stamp.join().unwrap()]
}

/// Starts a process for each name, and returns what each clerk signed, in the order of the names.
pub fn office(names: &[&str], door: &Barrier) -> Result<Vec<Vec<String>>> {
    let mut clerks = Vec::new();
    for name in names {
        let builder = Builder::new().name(*name);
        clerks.push(builder.spawn(clerk, (door.clone(),))?);
    }
    let mut signatures = Vec::new();
    for clerk in clerks {
        signatures.push(clerk.join()?);
    }
    Ok(signatures)
}

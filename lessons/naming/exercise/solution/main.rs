//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use anyhow::Result;
use multiprocess::{Builder, task};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    multiprocess::init([task(clerk)]);
    support::run_checks(checks::CHECKS)
}

/// Says who calls it: `Anna[4711]/stamp` is the thread `stamp` of the process `Anna`, whose pid is
/// 4711. A thread without a name signs as `?`.
pub fn signature() -> String {
    let process = multiprocess::current();
    let thread = thread::current();
    let thread_name = thread.name().unwrap_or("?");
    format!("{}[{}]/{thread_name}", process.name(), process.pid())
}

/// Signs, and has a thread called `stamp` sign; runs in a process of its own.
pub fn clerk() -> Vec<String> {
    let stamp = thread::Builder::new().name("stamp".to_string());
    let stamp = stamp.spawn(signature).unwrap();
    vec![signature(), stamp.join().unwrap()]
}

/// Starts a process for each of the names, and gives what each of them signed, in their order.
pub fn office(names: &[&str]) -> Result<Vec<Vec<String>>> {
    let mut clerks = Vec::new();
    for name in names {
        clerks.push(Builder::new().name(*name).spawn(clerk, ())?);
    }
    let mut signatures = Vec::new();
    for clerk in clerks {
        signatures.push(clerk.join()?);
    }
    Ok(signatures)
}

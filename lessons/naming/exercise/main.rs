//! An exercise: an office whose clerks sign their names. What to do is in task.md.

mod checks;

use anyhow::Result;
use multiprocess::task;
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([task(clerk)]);
    support::run_checks(checks::CHECKS)
}

/// Says who calls it: `Anna[4711]/stamp` is the thread `stamp` of the process `Anna`, whose pid is
/// 4711. A thread without a name signs as `?`.
pub fn signature() -> String {
    // Gap: ask for the names of the process and of the thread, and put them together.
    todo!("say who calls")
}

/// Signs, and has a thread called `stamp` sign; runs in a process of its own.
pub fn clerk() -> Vec<String> {
    // Gap: start the thread, join it, and return both signatures, the own one first.
    todo!("return two signatures")
}

/// Starts a process for each of the names, and gives what each of them signed, in their order.
pub fn office(names: &[&str]) -> Result<Vec<Vec<String>>> {
    // Gap: start a process for each name, and collect what each of them signed.
    todo!("start clerks with the names {names:?}")
}

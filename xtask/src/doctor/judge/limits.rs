//! How many of something there may be.

use super::verdict::Finding;
use crate::doctor::found::Limit;

/// Files that a program of the course has open at most, sockets and memory among them, and Cargo while it
/// builds: so many, and so many for each core, since pools have a worker for each.
const FILES: (u64, usize) = (48, 8);

/// Processes and threads at the same time while a lesson is built or played, at most.
const TASKS: (u64, usize) = (32, 8);

/// Judges how many files a program may have open.
pub(in crate::doctor) fn files(limit: Limit, cores: usize) -> Finding {
    const WHAT: &str = "open files";
    let needed = needed(FILES, cores);
    match limit {
        Limit::Unknown => Finding::fine(WHAT, "this system does not say"),
        Limit::None => Finding::fine(WHAT, "no limit"),
        Limit::AtMost(limit) if limit >= needed => Finding::fine(WHAT, format!("up to {limit}")),
        Limit::AtMost(limit) => Finding::problem(
            WHAT,
            format!("up to {limit}"),
            format!(
                "Cargo and the pools need up to {needed}. `ulimit -n 1024` in this terminal gives more, if the \
                 system allows it."
            ),
        ),
    }
}

/// Judges how many processes and threads can still be started.
pub(in crate::doctor) fn tasks(limit: Limit, cores: usize) -> Finding {
    const WHAT: &str = "processes and threads";
    let needed = needed(TASKS, cores);
    match limit {
        Limit::Unknown => Finding::fine(WHAT, "this system does not say"),
        Limit::None => Finding::fine(WHAT, "no limit"),
        Limit::AtMost(limit) if limit >= needed => Finding::fine(WHAT, format!("{limit} more")),
        Limit::AtMost(limit) => Finding::problem(
            WHAT,
            format!("{limit} more"),
            format!(
                "Building and playing a lesson takes up to {needed}. End other programs, or raise the limit: \
                 `ulimit -u 4096` in this terminal, `--pids-limit` of a container."
            ),
        ),
    }
}

fn needed((always, for_each_core): (u64, usize), cores: usize) -> u64 {
    always + u64::try_from(for_each_core * cores).unwrap_or(u64::MAX / 2)
}

//! What happens, told to whoever listens: events for the package `tracing`, target `multiprocess`.
//!
//! | event | level | fields |
//! |---|---|---|
//! | `process started` | INFO | `name`, `pid`, `daemon`, `at`, in the parent |
//! | `process ended` | INFO | `name`, `pid`, `status`, in the parent |
//! | `task begins`, `task ends` | DEBUG | `function`, in the child; of a pool's call also `first` and `count` of the inputs |
//! | `join awaited`, `joined` | DEBUG | `pid`, in the parent |
//! | `made` | TRACE | `memory`, `what`: what the memory of a lock, a value or a queue is |
//! | `lock awaited`, `lock held`, `lock refused` | TRACE | `lock` |
//! | `lock released` | TRACE | `lock`, `at` |
//! | `put` | TRACE | `queue`, `item`, `at` |
//! | `got` | TRACE | `queue`, `item`, `since` |
//!
//! `item` counts the messages of a queue, a channel or one direction of a pipe: who got item 7 got what was put as
//! item 7. `at` and `since` are [moments](moment); `at` stands where the event is told later than it happened, because
//! meanwhile another process may have seen what it did: what was put can be got before this is told.
//!
//! Where nobody listens an event costs the reading of one number.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, debug, dispatcher, info, trace};

use crate::errors::current::ProcessInfo;
use crate::platform::process;
use crate::trace::{TARGET, printer, recorder};

/// Has the events printed and recorded where that is asked for.
pub(crate) fn prepare() {
    printer::print_if_asked();
    recorder::record_if_asked();
}

pub(crate) fn process_started(process: &ProcessInfo, at: Option<u64>) {
    let ProcessInfo { name, pid, daemon } = process;
    tell(
        Level::INFO,
        || info!(target: TARGET, name, pid, daemon, at, "process started"),
    );
}

pub(crate) fn process_ended(process: &ProcessInfo, status: impl fmt::Display, at: Option<u64>) {
    let ProcessInfo { name, pid, .. } = process;
    tell(
        Level::INFO,
        || info!(target: TARGET, name, pid, %status, at, "process ended"),
    );
}

pub(crate) fn task_begins(function: &str) {
    tell(
        Level::DEBUG,
        || debug!(target: TARGET, function, "task begins"),
    );
}

/// The function is about to be called for some of the inputs of a call to a pool.
pub(crate) fn batch_begins(function: &str, first: u32, count: u32) {
    tell(
        Level::DEBUG,
        || debug!(target: TARGET, function, first, count, "task begins"),
    );
}

pub(crate) fn task_ends(function: &str) {
    tell(
        Level::DEBUG,
        || debug!(target: TARGET, function, "task ends"),
    );
}

pub(crate) fn join_awaited(process: &ProcessInfo) {
    let pid = process.pid;
    tell(Level::DEBUG, || debug!(target: TARGET, pid, "join awaited"));
}

pub(crate) fn joined(process: &ProcessInfo) {
    let pid = process.pid;
    tell(Level::DEBUG, || debug!(target: TARGET, pid, "joined"));
}

pub(crate) fn made(memory: &impl fmt::Debug, what: impl Fn() -> String) {
    tell(
        Level::TRACE,
        || trace!(target: TARGET, ?memory, what = what(), "made"),
    );
}

#[inline]
pub(crate) fn lock_awaited(lock: &impl fmt::Debug) {
    tell(
        Level::TRACE,
        || trace!(target: TARGET, ?lock, "lock awaited"),
    );
}

#[inline]
pub(crate) fn lock_held(lock: &impl fmt::Debug) {
    tell(Level::TRACE, || trace!(target: TARGET, ?lock, "lock held"));
}

/// It is not got, and no longer waited for.
pub(crate) fn lock_refused(lock: &impl fmt::Debug) {
    tell(
        Level::TRACE,
        || trace!(target: TARGET, ?lock, "lock refused"),
    );
}

/// `at` is the [moment](moment) before the release.
#[inline]
pub(crate) fn lock_released(lock: &impl fmt::Debug, at: Option<u64>) {
    if at.is_some() {
        tell(
            Level::TRACE,
            || trace!(target: TARGET, ?lock, at, "lock released"),
        );
    }
}

/// `at` is the [moment](moment) before anybody could get it.
pub(crate) fn put(queue: &impl fmt::Debug, item: u32, at: Option<u64>) {
    if at.is_some() {
        tell(
            Level::TRACE,
            || trace!(target: TARGET, ?queue, item, at, "put"),
        );
    }
}

/// `since` is the [moment](moment) from which it was waited for.
pub(crate) fn got(queue: &impl fmt::Debug, item: u32, since: Option<u64>) {
    if since.is_some() {
        tell(
            Level::TRACE,
            || trace!(target: TARGET, ?queue, item, since, "got"),
        );
    }
}

/// Whether anybody may listen to events of that level.
#[inline]
fn may_be_heard(level: Level) -> bool {
    level <= LevelFilter::current()
}

/// The time by the system's monotonic clock, which is one for all processes, in nanoseconds; `None` where nobody
/// listens to events of that level.
#[inline]
pub(crate) fn moment(level: Level) -> Option<u64> {
    may_be_heard(level).then(process::now)
}

/// Has an event told: to the recorder, if there is one, and to the program's own listener, if it has one, otherwise to
/// the printer, if there is one.
#[inline]
fn tell(level: Level, event: impl Fn()) {
    if may_be_heard(level) {
        tell_listeners(level, &event);
    }
}

#[cold]
fn tell_listeners(level: Level, event: &dyn Fn()) {
    recorder::record(event);
    if dispatcher::get_default(Dispatch::is::<NoSubscriber>) {
        printer::print(level, event);
    } else {
        event();
    }
}

//! Events for the package `tracing`, target `multiprocess`.
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
//! `item` counts the messages of a queue, a channel or one direction of a pipe: item 7 that was got is item 7 that was
//! put. `at` and `since` are [moments](moment). An event has `at` if it is emitted later than it happened, since
//! another process may see the effect in between: what was put can be got before `put` is emitted.
//!
//! Without a subscriber, an event costs the reading of one number.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, dispatcher};

use crate::errors::current::ProcessInfo;
use crate::platform::process;
use crate::trace::{TARGET, printer, recorder};

/// Starts printing and recording where the environment asks for it.
pub(crate) fn prepare() {
    printer::print_if_enabled();
    recorder::record_if_enabled();
}

/// Emits an event of that level with these fields.
macro_rules! event {
    ($level:ident, $($field:tt)*) => {
        emit(
            Level::$level,
            || tracing::event!(target: TARGET, Level::$level, $($field)*),
        )
    };
}

pub(crate) fn process_started(process: &ProcessInfo, at: Option<u64>) {
    let ProcessInfo { name, pid, daemon } = process;
    event!(INFO, name, pid, daemon, at, "process started");
}

pub(crate) fn process_ended(process: &ProcessInfo, status: impl fmt::Display, at: Option<u64>) {
    let ProcessInfo { name, pid, .. } = process;
    event!(INFO, name, pid, %status, at, "process ended");
}

pub(crate) fn task_begins(function: &str) {
    event!(DEBUG, function, "task begins");
}

/// A worker is about to call the function for some inputs of a call to a pool.
pub(crate) fn batch_begins(function: &str, first: u32, count: u32) {
    event!(DEBUG, function, first, count, "task begins");
}

pub(crate) fn task_ends(function: &str) {
    event!(DEBUG, function, "task ends");
}

pub(crate) fn join_awaited(process: &ProcessInfo) {
    event!(DEBUG, pid = process.pid, "join awaited");
}

pub(crate) fn joined(process: &ProcessInfo) {
    event!(DEBUG, pid = process.pid, "joined");
}

pub(crate) fn made(memory: &impl fmt::Debug, what: impl Fn() -> String) {
    event!(TRACE, ?memory, what = what(), "made");
}

#[inline]
pub(crate) fn lock_awaited(lock: &impl fmt::Debug) {
    event!(TRACE, ?lock, "lock awaited");
}

#[inline]
pub(crate) fn lock_held(lock: &impl fmt::Debug) {
    event!(TRACE, ?lock, "lock held");
}

/// The thread gave up waiting for the lock.
pub(crate) fn lock_refused(lock: &impl fmt::Debug) {
    event!(TRACE, ?lock, "lock refused");
}

/// `at` is the [moment](moment) before the release.
#[inline]
pub(crate) fn lock_released(lock: &impl fmt::Debug, at: Option<u64>) {
    if at.is_some() {
        event!(TRACE, ?lock, at, "lock released");
    }
}

/// `at` is the [moment](moment) before it could be got.
pub(crate) fn put(queue: &impl fmt::Debug, item: u32, at: Option<u64>) {
    if at.is_some() {
        event!(TRACE, ?queue, item, at, "put");
    }
}

/// `since` is the [moment](moment) when the wait began.
pub(crate) fn got(queue: &impl fmt::Debug, item: u32, since: Option<u64>) {
    if since.is_some() {
        event!(TRACE, ?queue, item, since, "got");
    }
}

/// Returns whether there may be a subscriber to events of that level.
#[inline]
fn may_be_enabled(level: Level) -> bool {
    level <= LevelFilter::current()
}

/// Returns the time by the system's monotonic clock, which all processes share, in nanoseconds; `None` without a
/// subscriber to events of that level.
#[inline]
pub(crate) fn moment(level: Level) -> Option<u64> {
    may_be_enabled(level).then(process::now)
}

/// Emits an event: to the recorder, if there is one, and to the program's own subscriber, if it has one, otherwise to
/// the printer, if there is one.
#[inline]
fn emit(level: Level, event: impl Fn()) {
    if may_be_enabled(level) {
        emit_to_all(&event);
    }
}

#[cold]
fn emit_to_all(event: &dyn Fn()) {
    recorder::record(event);
    if dispatcher::get_default(Dispatch::is::<NoSubscriber>) {
        printer::print(event);
    } else {
        event();
    }
}

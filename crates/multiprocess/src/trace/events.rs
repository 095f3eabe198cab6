//! Events for the package `tracing`, target `multiprocess`.
//!
//! | event | level | fields |
//! |---|---|---|
//! | `process started` | INFO | `name`, `pid`, `daemon`, `at`, in the parent |
//! | `process ended` | INFO | `name`, `pid`, `status`, in the parent |
//! | `worker terminated` | DEBUG | `pid`, in the parent, whose pool ends that worker at once |
//! | `task begins`, `task ends` | DEBUG | `function`, in the child; of a pool's call also `first` and `count` of the inputs |
//! | `join awaited`, `joined` | DEBUG | `pid`, in the parent |
//! | `made` | TRACE | `memory`, and `what` it is: a lock, a value, a queue |
//! | `lock awaited`, `lock held`, `lock refused` | TRACE | `lock` |
//! | `lock released` | TRACE | `lock`, `at` |
//! | `put` | TRACE | `queue`, `item`, `at` |
//! | `got` | TRACE | `queue`, `item`, `since` |
//!
//! `item` counts the messages of a queue, a channel or one direction of a pipe: item 7 that was got is item 7 that was
//! put. `at` and `since` are [moments](moment). An event has `at` if it is emitted later than it happened, since
//! another process may see the effect in between: an item can be taken before its `put` is emitted.
//!
//! Without a subscriber, an event costs one read of a number.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, dispatcher};

use crate::platform::process;
use crate::trace::printer::{self, PRINTER};
use crate::trace::recorder;

pub(crate) fn prepare() {
    printer::print_if_enabled();
    recorder::record_if_enabled();
}

/// Emits an event of that level with these fields.
macro_rules! event {
    ($level:ident, $($field:tt)*) => {
        $crate::trace::events::emit(
            tracing::Level::$level,
            || tracing::event!(target: $crate::trace::TARGET, tracing::Level::$level, $($field)*),
        )
    };
}
pub(crate) use event;

pub(crate) fn made(memory: &impl fmt::Debug, what: impl Fn() -> String) {
    event!(TRACE, ?memory, what = what(), "made");
}

/// Returns the time by the system's monotonic clock, which all processes share, in nanoseconds; `None` without a
/// subscriber to events of that level.
#[inline]
pub(crate) fn moment(level: Level) -> Option<u64> {
    (level <= LevelFilter::current()).then(process::now)
}

/// Emits an event: to the recorder, if there is one, and to the program's own subscriber, if it has one, otherwise to
/// the printer, if there is one.
#[inline]
pub(crate) fn emit(level: Level, event: impl Fn()) {
    if level <= LevelFilter::current() {
        emit_to_all(&event);
    }
}

#[cold]
fn emit_to_all(event: &dyn Fn()) {
    if let Some(recorder) = recorder::recorder() {
        dispatcher::with_default(recorder, event);
    }
    match PRINTER.get() {
        Some(printer) if dispatcher::get_default(Dispatch::is::<NoSubscriber>) => {
            dispatcher::with_default(printer, event);
        }
        _ => event(),
    }
}

//! What happens, told to whoever listens: events for the package `tracing`, target `multiprocess`.
//!
//! | event | level | fields |
//! |---|---|---|
//! | `process started` | INFO | `name`, `pid`, `daemon`, in the parent |
//! | `process ended` | INFO | `name`, `pid`, `status`, in the parent |
//! | `task begins`, `task ends` | DEBUG | `function`, in the child |
//! | `lock awaited`, `lock held`, `lock released` | TRACE | `lock` |
//! | `put`, `got` | TRACE | `queue` |
//!
//! Where nobody listens an event costs the reading of one number.

use std::fmt;
use std::process::ExitStatus;
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, Level, Subscriber, debug, dispatcher, info, trace};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::current::{self, ProcessInfo};

const TARGET: &str = "multiprocess";

/// Name of the variable that has the events printed.
const VARIABLE: &str = "MULTIPROCESS_LOG";

pub(crate) fn process_started(process: &ProcessInfo) {
    let ProcessInfo { name, pid, daemon } = process;
    tell(
        Level::INFO,
        || info!(target: TARGET, name, pid, daemon, "process started"),
    );
}

pub(crate) fn process_ended(process: &ProcessInfo, status: ExitStatus) {
    let ProcessInfo { name, pid, .. } = process;
    tell(
        Level::INFO,
        || info!(target: TARGET, name, pid, %status, "process ended"),
    );
}

pub(crate) fn task_begins(function: &str) {
    tell(
        Level::DEBUG,
        || debug!(target: TARGET, function, "task begins"),
    );
}

pub(crate) fn task_ends(function: &str) {
    tell(
        Level::DEBUG,
        || debug!(target: TARGET, function, "task ends"),
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

#[inline]
pub(crate) fn lock_released(lock: &impl fmt::Debug) {
    tell(
        Level::TRACE,
        || trace!(target: TARGET, ?lock, "lock released"),
    );
}

pub(crate) fn put(queue: &impl fmt::Debug) {
    tell(Level::TRACE, || trace!(target: TARGET, ?queue, "put"));
}

pub(crate) fn got(queue: &impl fmt::Debug) {
    tell(Level::TRACE, || trace!(target: TARGET, ?queue, "got"));
}

/// Prints events, where that was asked for.
static PRINTER: OnceLock<Dispatch> = OnceLock::new();

/// Has an event told to the program's own listener, if it has one, otherwise to the printer, if there is one.
#[inline]
fn tell(level: Level, event: impl FnOnce()) {
    if level > LevelFilter::current() {
        return;
    }
    let nobody_listens = || dispatcher::get_default(Dispatch::is::<NoSubscriber>);
    match PRINTER.get() {
        Some(printer) if nobody_listens() => dispatcher::with_default(printer, event),
        _ => event(),
    }
}

/// Has the events printed on standard error where the variable asks for it: `MULTIPROCESS_LOG=info`, `debug` or `trace`.
///
/// Python: `multiprocessing.log_to_stderr(level)`.
pub(crate) fn print_if_asked() {
    let Ok(level) = std::env::var(VARIABLE) else {
        return;
    };
    let Ok(level) = level.parse::<Level>() else {
        eprintln!("{VARIABLE}={level} is not understood: say info, debug or trace");
        return;
    };
    // Nobody is told that standard error is closed: there is nowhere to tell it.
    let printer = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .event_format(WithProcessName)
        .finish();
    let _ = PRINTER.set(Dispatch::new(printer));
}

/// `[INFO/worker 1 4711] process started name="worker 2" pid=4712 daemon=false`, in one piece.
struct WithProcessName;

impl<S, N> FormatEvent<S, N> for WithProcessName
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let this = &current::identity().this;
        write!(
            writer,
            "[{}/{} {}] ",
            event.metadata().level(),
            this.name,
            this.pid
        )?;
        context.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

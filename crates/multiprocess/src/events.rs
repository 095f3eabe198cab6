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

use tracing::{Event, Level, Subscriber, debug, info, trace};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::current::{self, ProcessInfo};

const TARGET: &str = "multiprocess";

/// Name of the variable that has the events printed.
const VARIABLE: &str = "MULTIPROCESS_LOG";

pub(crate) fn process_started(process: &ProcessInfo) {
    let ProcessInfo { name, pid, daemon } = process;
    info!(target: TARGET, name, pid, daemon, "process started");
}

pub(crate) fn process_ended(process: &ProcessInfo, status: ExitStatus) {
    let ProcessInfo { name, pid, .. } = process;
    info!(target: TARGET, name, pid, %status, "process ended");
}

pub(crate) fn task_begins(function: &str) {
    debug!(target: TARGET, function, "task begins");
}

pub(crate) fn task_ends(function: &str) {
    debug!(target: TARGET, function, "task ends");
}

pub(crate) fn lock_awaited(lock: &impl fmt::Debug) {
    trace!(target: TARGET, ?lock, "lock awaited");
}

pub(crate) fn lock_held(lock: &impl fmt::Debug) {
    trace!(target: TARGET, ?lock, "lock held");
}

pub(crate) fn lock_released(lock: &impl fmt::Debug) {
    trace!(target: TARGET, ?lock, "lock released");
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
    // A program with a subscriber of its own has that one.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .event_format(WithProcessName)
        .try_init();
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

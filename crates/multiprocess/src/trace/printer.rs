//! Printing the events on standard error.

use std::fmt;
use std::sync::OnceLock;

use tracing::{Dispatch, Event, Level, Subscriber, dispatcher};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::errors::current;
use crate::errors::quoted::{Line, Name};
use crate::trace::warn;

/// The environment variable that turns printing on.
const VARIABLE: &str = "MULTIPROCESS_LOG";

static PRINTER: OnceLock<Dispatch> = OnceLock::new();

pub(super) fn print(event: &dyn Fn()) {
    if let Some(printer) = PRINTER.get() {
        dispatcher::with_default(printer, event);
    }
}

/// Turns printing on standard error on where the variable asks for it: `MULTIPROCESS_LOG=info`, `debug` or `trace`.
///
/// Python: `multiprocessing.log_to_stderr(level)`.
pub(super) fn print_if_enabled() {
    let Ok(level) = std::env::var(VARIABLE) else {
        return;
    };
    let Ok(level) = level.parse::<Level>() else {
        return warn(&format!(
            "{VARIABLE}={level} is not understood: say info, debug or trace"
        ));
    };
    // A closed standard error is ignored for the events, too.
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
            Name(&this.name),
            this.pid
        )?;
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        writeln!(writer, "{}", Line(&fields))
    }
}

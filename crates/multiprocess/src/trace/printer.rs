//! Printing the events on standard error.

use std::fmt::{self, Write};
use std::sync::OnceLock;

use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level};

use crate::errors::current;
use crate::errors::quoted::{Line, Name};
use crate::trace::{listener, warn};

const VARIABLE: &str = "MULTIPROCESS_LOG";

pub(super) static PRINTER: OnceLock<Dispatch> = OnceLock::new();

/// Prints events on standard error if the variable is set: `MULTIPROCESS_LOG=info`, `debug` or `trace`.
pub(super) fn print_if_enabled() {
    let Ok(level) = std::env::var(VARIABLE) else {
        return;
    };
    if !cfg!(feature = "print") {
        let help = "build `multiprocess` with its feature `print`";
        return warn(&format!("{VARIABLE} has no effect: {help}"));
    }
    let Ok(level) = level.parse::<Level>() else {
        return warn(&format!(
            "{VARIABLE}={level} is not a known level: use info, debug or trace"
        ));
    };
    let _ = PRINTER.set(listener::up_to(level, write));
}

/// `[INFO/worker 1 4711] process started name="worker 2" pid=4712 daemon=false`
fn write(event: &Event<'_>) {
    let mut fields = Fields(String::new());
    event.record(&mut fields);
    let this = &current::identity().this;
    let (level, name) = (event.metadata().level(), Name(&this.name));
    warn(&format!("[{level}/{name} {}]{}", this.pid, Line(&fields.0)));
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

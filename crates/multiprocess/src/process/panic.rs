//! Reports a panic in a child: once, on standard error, with the name of the process.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::io::Write;
use std::panic::PanicHookInfo;

use crate::errors::current;
use crate::errors::quoted::{Name, Process, Words};
use crate::errors::task_failure::TaskFailure;
use crate::transfer::caught::panic_message;

thread_local! {
    /// Where this thread panicked last.
    static LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Returns the failure of the function whose panic this thread caught last.
pub(crate) fn failure(payload: &(dyn Any + Send)) -> TaskFailure {
    // Taken, since a later panic may run no hook (`resume_unwind`).
    let mut location = LOCATION.take();
    // The function replaced our hook by its own.
    if location.is_empty() {
        "an unknown location".clone_into(&mut location);
    }
    TaskFailure::Panicked {
        message: panic_message(payload).to_owned(),
        location,
    }
}

/// The panic hook of a child: Rust's own names only the thread.
pub(crate) fn announce(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let location = location.unwrap_or_default();
    let this = &current::identity().this;
    let process = Process(&this.name, this.pid).to_string();
    let thread = std::thread::current();
    let who = match thread.name() {
        Some("main") => process,
        Some(name) => format!("thread '{}' of {process}", Name(name)),
        None => format!("a thread of {process}"),
    };
    let message = Words(panic_message(panic.payload()));
    let mut text = format!("{who} panicked at {location}:\n{message}\n").into_bytes();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text.extend_from_slice(shorten(&backtrace.to_string()).as_bytes());
    }
    // In a single write, so that the messages of several processes don't mix.
    let _ = std::io::stderr().lock().write_all(&text);
    LOCATION.set(location);
}

/// Keeps the user's frames: those between the panic and the crate's own call of the function.
/// With `RUST_BACKTRACE=full` it keeps all, as Rust itself does.
fn shorten(backtrace: &str) -> String {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full") {
        return backtrace.to_owned();
    }
    let machinery = [
        "core::panicking::",
        "core::option::",
        "core::result::",
        "std::panicking::begin_panic",
    ];
    let is_frame = |line: &str| {
        let number = line.trim_start().split_once(": ");
        number.is_some_and(|(number, _)| number.parse::<u32>().is_ok())
    };
    let lines: Vec<&str> = backtrace.lines().collect();
    let in_machinery = |line: &&str| machinery.iter().any(|path| line.contains(path));
    let first = lines.iter().rposition(in_machinery).map_or(0, |last| {
        // The frame's location is in the line below it.
        (last + 1..lines.len())
            .find(|&line| is_frame(lines[line]))
            .unwrap_or(0)
    });
    let end = (first..lines.len()).find(|&line| lines[line].contains("multiprocess::"));
    let kept = &lines[first..end.unwrap_or(lines.len())];
    kept.iter().flat_map(|line| [line, "\n"]).collect()
}

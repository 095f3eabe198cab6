//! How a panic in a child is announced: once, on standard error, with the name of the process.

use std::cell::RefCell;
use std::io::Write;
use std::panic::PanicHookInfo;

use crate::current;
use crate::parcel::panic_message;

thread_local! {
    /// Where this thread panicked last.
    static LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Replaces Rust's announcement, which names only the thread.
pub(crate) fn announce_with_process_name() {
    std::panic::set_hook(Box::new(announce));
}

/// Where the panic happened that was caught last on this thread, as `file:line:column`.
pub(crate) fn last_location() -> String {
    let location = LOCATION.with_borrow(String::clone);
    // A function that put a hook of its own in place of ours.
    if location.is_empty() {
        "an unknown place".to_owned()
    } else {
        location
    }
}

fn announce(panic: &PanicHookInfo<'_>) {
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let this = current::identity();
    let process = format!("process '{}' (pid {})", this.this.name, this.this.pid);
    let thread = std::thread::current();
    let who = match thread.name() {
        Some("main") => process,
        Some(name) => format!("thread '{name}' of {process}"),
        None => format!("a thread of {process}"),
    };
    let message = panic_message(panic.payload());
    let mut text = format!("{who} panicked at {location}:\n{message}\n").into_bytes();
    let backtrace = std::backtrace::Backtrace::capture();
    if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
        let _ = writeln!(text, "{backtrace}");
    }
    // In one piece, so that the words of several processes do not mix.
    let _ = std::io::stderr().lock().write_all(&text);
    LOCATION.set(location);
}

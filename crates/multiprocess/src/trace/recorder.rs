//! Recording of events: each process writes every event at once to a file of its own, so the file of a killed process
//! is complete up to its death. (Only the line for its last microsecond may be missing.)
//!
//! A line is an event, a JSON object. All have `event` and `at`, nanoseconds by the system's monotonic clock, which all
//! processes share; those of threads have `thread`, the system's thread number. The first line is `process begins` with
//! `name`, `pid` and `parent`. If the process ends normally, `process ends` is near the end. `thread seen`, with its
//! `name`, precedes the first event of a thread. The others are those of [events](super), and what the program emits to
//! [`recorder`]: an event without a message has the name from `tracing`, and `_` is appended to a field whose name is
//! already used.
//!
//! After [`MAX_LINES`] lines, or where the process may not make its file larger, it writes `recording full` and stops;
//! lines that other threads had begun may follow. A line that could not be written is the last, and may be incomplete.

use std::cell::Cell;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Level};

use crate::errors::current;
use crate::platform::limits;
use crate::platform::process::{now, thread_id};
use crate::trace::{TARGET, listener, warn};

pub(crate) const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// The maximum number of lines that a process records; they take about 10 megabytes.
const MAX_LINES: u64 = 100_000;

/// Space in the file for the line `recording full`, in bytes.
const LAST_LINE: u64 = 128;

static RECORDING: OnceLock<Recording> = OnceLock::new();
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Returns the `tracing` subscriber that records events, if recording is on; `None` before [`init`](crate::init).
///
/// Recording is on if the crate is built with the feature `record` and the environment variable `MULTIPROCESS_RECORD`
/// is set to a folder: each process writes its events to a file there, as lines of JSON. To record events of your own,
/// emit them to this subscriber.
///
/// Python has no equivalent.
///
/// # Examples
///
/// ```
/// if let Some(recorder) = multiprocess::recorder() {
///     tracing::dispatcher::with_default(recorder, || tracing::info!(number = 7, "halfway"));
/// }
/// ```
#[must_use]
pub fn recorder() -> Option<&'static Dispatch> {
    RECORDING.get().map(|recording| &recording.recorder)
}

pub(super) fn record_if_enabled() {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) else {
        return;
    };
    if !cfg!(feature = "record") {
        let help = "build `multiprocess` with its feature `record`";
        return warn(&format!("{VARIABLE} has no effect: {help}"));
    }
    let folder = std::path::absolute(&folder).unwrap_or(folder.into());
    let folder = FOLDER.get_or_init(|| folder);
    let identity = current::identity();
    // The system may reuse a process id during a long recording; a time is unique.
    let path = folder.join(format!("{}-{}.jsonl", identity.this.pid, now()));
    match OpenOptions::new().append(true).create_new(true).open(&path) {
        Ok(file) => drop(RECORDING.set(Recording::new(file))),
        Err(error) => {
            let path = path.display();
            let why = format!("{path} cannot be created, so this process is not recorded: {error}");
            return warn(&format!("{VARIABLE}: {why}"));
        }
    }
    let mut line = Line::new();
    line.add("name", &identity.this.name);
    line.add("pid", identity.this.pid);
    if let Some(parent) = &identity.parent {
        line.add("parent", parent.pid);
    }
    line.write("process begins");
}

/// Returns the folder of the recording: the current folder, where the variable has a relative path, may change before a
/// child reads it.
pub(crate) fn folder_for_children() -> Option<&'static Path> {
    FOLDER.get().map(PathBuf::as_path)
}

/// Records the normal end of a process; `tracing` may no longer work.
pub(crate) fn process_ends() {
    Line::new().write("process ends");
}

/// The file of this process, and how much was written to it.
struct Recording {
    recorder: Dispatch,
    file: File,
    max_bytes: u64,
    bytes: AtomicU64,
    lines: AtomicU64,
    over: AtomicBool,
}

impl Recording {
    fn new(file: File) -> Recording {
        // Writing more than the system allows ends the process by a signal.
        let limit = limits::largest_file().unwrap_or(u64::MAX);
        Recording {
            recorder: listener::up_to(Level::TRACE, write),
            file,
            max_bytes: limit.saturating_sub(LAST_LINE),
            bytes: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Writes a line in a single write. Ignores a full disk: the program continues.
    fn write(&self, line: Vec<u8>) {
        let length = line.len() as u64;
        let lines = self.lines.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(length, Ordering::Relaxed);
        let fits = lines < MAX_LINES && bytes + length <= self.max_bytes;
        let was_over = self.over.fetch_or(!fits, Ordering::Relaxed);
        let line = match (was_over, fits) {
            (false, true) => line,
            // The first line that doesn't fit; if it is the very first, nothing is written.
            (false, false) if lines > 0 => Line::new().finish("recording full"),
            _ => return,
        };
        if (&self.file).write_all(&line).is_err() {
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

fn write(event: &Event<'_>) {
    let thread = this_thread();
    let mut line = Line::new();
    line.add("thread", thread);
    line.is_of_crate = event.metadata().target() == TARGET;
    event.record(&mut line);
    line.write(event.metadata().name());
}

fn this_thread() -> i32 {
    thread_local! {
        /// The system's number for this thread, once the recording has its name.
        static THREAD: Cell<i32> = const { Cell::new(0) };
    }
    if THREAD.get() == 0 {
        THREAD.set(thread_id());
        let mut line = Line::new();
        line.add("thread", THREAD.get());
        if let Some(name) = std::thread::current().name() {
            line.add("name", name);
        }
        line.write("thread seen");
    }
    THREAD.get()
}

/// A line of the recording, not yet written.
struct Line {
    at: u64,
    /// Whether a message among the fields is its name.
    has_name: bool,
    /// Whether this crate emitted it; then its field `at` is the time.
    is_of_crate: bool,
    text: Vec<u8>,
}

impl Line {
    fn new() -> Line {
        let mut text = Vec::with_capacity(256);
        text.push(b'{');
        Line {
            at: now(),
            has_name: false,
            is_of_crate: false,
            text,
        }
    }

    fn add(&mut self, name: &str, value: impl Serialize) {
        let _ = write!(self.text, "\"{name}\":");
        let _ = serde_json::to_writer(&mut self.text, &value);
        self.text.push(b',');
    }

    fn field(&mut self, field: &Field, value: impl Serialize) {
        let name = match field.name() {
            "at" => "at_",
            "thread" => "thread_",
            "event" => "event_",
            name => name,
        };
        self.add(name, value);
    }

    /// Adds the time, which a field may have set, and the name if it has none.
    fn finish(mut self, event: &str) -> Vec<u8> {
        if !self.has_name {
            self.add("event", event);
        }
        let _ = writeln!(self.text, "\"at\":{}}}", self.at);
        self.text
    }

    fn write(self, event: &str) {
        if let Some(recording) = RECORDING.get() {
            recording.write(self.finish(event));
        }
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.is_of_crate && field.name() == "at" {
            self.at = value;
        } else {
            self.field(field, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" && !self.has_name {
            self.has_name = true;
            self.add("event", value);
        } else {
            self.field(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

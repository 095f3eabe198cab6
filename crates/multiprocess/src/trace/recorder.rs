//! Recording the events: each process writes every event at once into a file of its own, so the file of a killed
//! process is complete up to its death. (An event may be missing if the process is killed in the microsecond between a
//! put, which others can see, and the line for it.)
//!
//! A line is an event, a JSON object. All have `event` and `at`, nanoseconds by the system's monotonic clock, which all
//! processes share; those of threads have `thread`, the system's thread number. The first line is `process begins` with
//! `name`, `pid` and `parent`. If the process ends normally, `process ends` is near the end; threads that still run may
//! add lines after it. `thread seen`, with its `name`, precedes the first event of a thread. The others are those of
//! [events](super), and what the program emits to [`recorder`]: an event without a message has the name from `tracing`,
//! and `_` is appended to a field whose name is already used.
//!
//! After [`MAX_LINES`] lines, or where the process may not make its file larger, it writes `recording full` and stops;
//! lines that other threads had begun may follow. A line that could not be written is the last, and may be incomplete.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber, dispatcher};

use crate::errors::current;
use crate::platform::capacity;
use crate::platform::process::{now, thread_id};
use crate::trace::TARGET;

/// The environment variable that names the folder for the recording.
pub(crate) const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// The most lines that a process records; they take about 10 megabytes.
const MAX_LINES: u32 = 100_000;

/// Room in the file for the line `recording full`.
const LAST_LINE: u64 = 128;

static RECORDING: OnceLock<Recording> = OnceLock::new();
static FOLDER: OnceLock<PathBuf> = OnceLock::new();
static RECORDER: OnceLock<Dispatch> = OnceLock::new();

/// Returns the subscriber that records, if recording is on; it exists from [`init`](crate::init) on.
///
/// With the feature `record`, and the variable `MULTIPROCESS_RECORD` set to a folder, each process of the program
/// writes its events into a file in that folder, as lines of JSON with the time by one clock for all processes. The
/// file of a killed process is complete up to its death. To record events of your own, emit them to this subscriber.
///
/// Python has nothing like it.
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
    RECORDER.get()
}

pub(super) fn record(event: &dyn Fn()) {
    if let Some(recorder) = recorder() {
        dispatcher::with_default(recorder, event);
    }
}

/// Turns recording on where the variable asks for it.
pub(super) fn record_if_enabled() {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) else {
        return;
    };
    let mut folder = Path::new(&folder);
    if folder.is_relative()
        && let Ok(absolute) = std::path::absolute(folder)
    {
        folder = FOLDER.get_or_init(|| absolute);
    }
    let identity = current::identity();
    // The system may reuse a process id during a long recording; a time is unique.
    let name = format!("{}-{}.jsonl", identity.this.pid, now());
    let path = folder.join(name);
    let file = OpenOptions::new().append(true).create_new(true).open(&path);
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            // A closed standard error is ignored: there is nowhere to report it.
            let _ = writeln!(
                io::stderr(),
                "{VARIABLE}: {} cannot be made, so this process is not recorded: {error}",
                path.display()
            );
            return;
        }
    };
    let _ = RECORDING.set(Recording::new(file));
    let _ = RECORDER.set(Dispatch::new(Recorder));
    let mut line = Line::begin(now(), "process begins");
    line.text("name", &identity.this.name);
    line.plain("pid", &identity.this.pid);
    if let Some(parent) = &identity.parent {
        line.plain("parent", &parent.pid);
    }
    line.write();
}

/// Returns the folder of the recording if the variable has a relative path: the current folder may change before a
/// child reads the variable.
pub(crate) fn folder_for_children() -> Option<&'static Path> {
    FOLDER.get().map(PathBuf::as_path)
}

/// Records the normal end of a process; `tracing` may no longer work.
pub(crate) fn process_ends() {
    if RECORDING.get().is_some() {
        Line::begin(now(), "process ends").write();
    }
}

/// The file of this process, and how much was written to it.
struct Recording {
    file: File,
    max_bytes: u64,
    bytes: AtomicU64,
    lines: AtomicU32,
    over: AtomicBool,
}

/// Whether a line is written.
enum Place {
    InFull,
    /// It is the first that has no room.
    OnlyLastLine,
    None,
}

impl Recording {
    fn new(file: File) -> Recording {
        // Writing more than the system allows ends the process by a signal.
        let limit = capacity::largest_file().unwrap_or(u64::MAX);
        Recording {
            file,
            max_bytes: limit.saturating_sub(LAST_LINE),
            bytes: AtomicU64::new(0),
            lines: AtomicU32::new(0),
            over: AtomicBool::new(false),
        }
    }

    fn place(&self, line: &[u8]) -> Place {
        if self.over.load(Ordering::Relaxed) {
            return Place::None;
        }
        let length = line.len() as u64;
        let lines = self.lines.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(length, Ordering::Relaxed);
        if lines < MAX_LINES && bytes + length <= self.max_bytes {
            Place::InFull
        } else if self.over.swap(true, Ordering::Relaxed) || lines == 0 {
            Place::None
        } else {
            Place::OnlyLastLine
        }
    }

    /// Ignores that there is no room left: the program goes on.
    fn write(&self, line: &[u8]) {
        if (&self.file).write_all(line).is_err() {
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let thread = this_thread();
        let mut line = Line::begin(now(), "");
        line.plain("thread", &thread);
        line.is_of_crate = event.metadata().target() == TARGET;
        event.record(&mut line);
        if !line.has_name {
            line.event = event.metadata().name();
        }
        line.write();
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

thread_local! {
    /// The system's number for this thread, once the recording has its name.
    static THREAD: Cell<i32> = const { Cell::new(0) };
    /// Kept from one event to the next.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn this_thread() -> i32 {
    let known = THREAD.get();
    if known != 0 {
        return known;
    }
    let number = thread_id();
    THREAD.set(number);
    let mut line = Line::begin(now(), "thread seen");
    line.plain("thread", &number);
    if let Some(name) = std::thread::current().name() {
        line.text("name", name);
    }
    line.write();
    number
}

/// A line of the recording, not yet written.
struct Line {
    at: u64,
    event: &'static str,
    /// Its message is among the fields, as its name.
    has_name: bool,
    /// This crate emitted it, so its field `at` is the time.
    is_of_crate: bool,
    fields: Vec<u8>,
}

impl Line {
    fn begin(at: u64, event: &'static str) -> Line {
        let mut fields = BUFFER.try_with(RefCell::take).unwrap_or_default();
        fields.clear();
        // The time is written last, because a field may set it; it takes up to 26 bytes.
        fields.resize(ROOM, b' ');
        Line {
            at,
            event,
            has_name: false,
            is_of_crate: false,
            fields,
        }
    }

    fn plain(&mut self, name: &str, value: &dyn fmt::Display) {
        let _ = write!(self.fields, ",\"{name}\":{value}");
    }

    fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.fields, ",\"{name}\":");
        let _ = serde_json::to_writer(&mut self.fields, value);
    }

    /// Adds a field of an event to the line.
    fn field(&mut self, field: &Field, value: FieldValue<'_>) {
        let name = match field.name() {
            "message" if !self.has_name => {
                self.has_name = true;
                let name = match value {
                    FieldValue::Plain(value) => value.to_string(),
                    FieldValue::Text(value) => value.to_owned(),
                };
                return self.text("event", &name);
            }
            "at" => "at_",
            "thread" => "thread_",
            "event" => "event_",
            name => name,
        };
        match value {
            FieldValue::Plain(value) => self.plain(name, value),
            FieldValue::Text(value) => self.text(name, value),
        }
    }

    /// Writes the line in one piece.
    fn write(mut self) {
        let Some(recording) = RECORDING.get() else {
            return;
        };
        let line = self.finish();
        match recording.place(line) {
            Place::InFull => recording.write(line),
            Place::OnlyLastLine => {
                self.fields.truncate(ROOM);
                self.event = "recording full";
                recording.write(self.finish());
            }
            Place::None => {}
        }
        let _ = BUFFER.try_with(|buffer| buffer.replace(self.fields));
    }

    /// Adds the name, the end and the beginning.
    fn finish(&mut self) -> &[u8] {
        if !self.event.is_empty() {
            self.text("event", self.event);
        }
        self.fields.extend(b"}\n");
        let mut head = [0_u8; ROOM];
        let mut rest = &mut head[..];
        let _ = write!(rest, "{{\"at\":{}", self.at);
        let length = ROOM - rest.len();
        let start = ROOM - length;
        self.fields[start..ROOM].copy_from_slice(&head[..length]);
        &self.fields[start..]
    }
}

/// The value of a field, and how it is written.
#[derive(Clone, Copy)]
enum FieldValue<'a> {
    Plain(&'a dyn fmt::Display),
    Text(&'a str),
}

/// Room for `{"at":` and a number of 64 bits.
const ROOM: usize = 26;

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.is_of_crate && field.name() == "at" {
            self.at = value;
        } else {
            self.field(field, FieldValue::Plain(&value));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, FieldValue::Plain(&value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, FieldValue::Plain(&value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, FieldValue::Text(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, FieldValue::Text(&format!("{value:?}")));
    }
}

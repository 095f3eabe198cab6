//! Recording the events: each process writes its own into a file of its own, every event at once, so that those of a
//! process that is killed are there up to its death. (What others can see of a put before it is told may be missing, if
//! the putter is killed in the microsecond between.)
//!
//! A line is an event, an object of JSON. All have `at`, nanoseconds by the system's monotonic clock, which is one for
//! all processes, and `event`; those of threads have `thread`, the number that the system gave it. The first line is
//! `process begins` with `name`, `pid` and `parent`; near the end of one that ends in an orderly way stands `process
//! ends`, and threads that still run may tell more after it. Before the first event of a thread stands `thread seen`,
//! with its `name`. The others are those of [events](super), and whatever else is told to [`recorder`]: an event without
//! a message goes by the name that `tracing` gave it, and a field that has a name of ours gets a `_` behind it.
//!
//! After [`MOST`] lines, or where the process may not make its file larger, it records no more, which `recording full`
//! tells; lines that other threads had begun may follow. After a line that could not be written there is no other, and
//! the line may be there in part.

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

/// Name of the variable that has the events recorded, in the folder that it names.
pub(crate) const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// Lines that a process records at most; they take about 10 megabytes.
const MOST: u32 = 100_000;

/// Room in the file for the line that tells that there is no more.
const LAST_WORD: u64 = 128;

static RECORDING: OnceLock<Recording> = OnceLock::new();
static FOLDER: OnceLock<PathBuf> = OnceLock::new();
static RECORDER: OnceLock<Dispatch> = OnceLock::new();

/// Returns the listener that records, where a recording is asked for; it is there from [`init`](crate::init) on.
///
/// With the feature `record`, and the variable `MULTIPROCESS_RECORD` set to a folder, each process of the program writes what happens in it into a
/// file in that folder, event by event, as lines of JSON with the time by one clock for all processes. What a killed
/// process has done up to its death is there. To have events of your own in the recording, tell them to this listener.
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

/// Records an event, where a recording is asked for.
pub(super) fn record(event: &dyn Fn()) {
    if let Some(recorder) = recorder() {
        dispatcher::with_default(recorder, event);
    }
}

/// Has the events recorded where the variable asks for it.
pub(super) fn record_if_asked() {
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
    // A process id comes again, in a long recording; a time does not.
    let name = format!("{}-{}.jsonl", identity.this.pid, now());
    let path = folder.join(name);
    let file = OpenOptions::new().append(true).create_new(true).open(&path);
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            // Nobody is told that standard error is closed: there is nowhere to tell it.
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

/// The folder of the recording, where the variable names it as seen from the current folder, which may change before a
/// child reads the variable.
pub(crate) fn folder_for_children() -> Option<&'static Path> {
    FOLDER.get().map(PathBuf::as_path)
}

/// The last thing that a process does in an orderly way; `tracing` may not be there any more.
pub(crate) fn process_ends() {
    if RECORDING.get().is_some() {
        Line::begin(now(), "process ends").write();
    }
}

/// The file of this process, and how much it has taken.
struct Recording {
    file: File,
    most_bytes: u64,
    bytes: AtomicU64,
    lines: AtomicU32,
    over: AtomicBool,
}

/// What is to become of a line.
enum Place {
    InFull,
    /// It is the first for which there is no room.
    OnlyTheLastWord,
    None,
}

impl Recording {
    fn new(file: File) -> Recording {
        // To write more than the system lets us would end the process by a signal.
        let most = capacity::largest_file().unwrap_or(u64::MAX);
        Recording {
            file,
            most_bytes: most.saturating_sub(LAST_WORD),
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
        if lines < MOST && bytes + length <= self.most_bytes {
            Place::InFull
        } else if self.over.swap(true, Ordering::Relaxed) || lines == 0 {
            Place::None
        } else {
            Place::OnlyTheLastWord
        }
    }

    /// Who records does not learn that there is no room left: the program goes on.
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
    /// The system's number for this thread, once the recording says its name.
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

/// A line of the recording on its way.
struct Line {
    at: u64,
    event: &'static str,
    /// Its message is among the fields, as its name.
    has_name: bool,
    /// It is told by this crate, so its field `at` is the time.
    is_of_crate: bool,
    fields: Vec<u8>,
}

impl Line {
    fn begin(at: u64, event: &'static str) -> Line {
        let mut fields = BUFFER.try_with(RefCell::take).unwrap_or_default();
        fields.clear();
        // The time is written last, because a field may say another; it takes up to 26 bytes.
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

    /// Puts a field that was told by somebody among those of the line.
    fn field(&mut self, field: &Field, value: Told<'_>) {
        let name = match field.name() {
            "message" if !self.has_name => {
                self.has_name = true;
                let name = match value {
                    Told::Plain(value) => value.to_string(),
                    Told::Text(value) => value.to_owned(),
                };
                return self.text("event", &name);
            }
            "at" => "at_",
            "thread" => "thread_",
            "event" => "event_",
            name => name,
        };
        match value {
            Told::Plain(value) => self.plain(name, value),
            Told::Text(value) => self.text(name, value),
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
            Place::OnlyTheLastWord => {
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
enum Told<'a> {
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
            self.field(field, Told::Plain(&value));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, Told::Plain(&value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, Told::Plain(&value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, Told::Text(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, Told::Text(&format!("{value:?}")));
    }
}

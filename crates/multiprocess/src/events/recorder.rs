//! Recording the events: each process writes its own into a file of its own, every event at once, so that those of a
//! process that is killed are there up to its death. (What others can see of a put before it is told may be missing, if
//! the putter is killed in the microsecond between.)
//!
//! A line is an event, an object of JSON. All have `at`, nanoseconds by the system's monotonic clock, which is one for
//! all processes, and `event`; those of threads have `thread`, the number that the system gave it. The first line is
//! `process begins` with `name`, `pid` and `parent`; at an orderly end the last is `process ends`. Before the first
//! event of a thread stands `thread seen`, with its `name`. The others are those of [events](super), and whatever else
//! is told to [`recorder`]. After [`MOST`] lines a process records no more, and the last line is `recording full`.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::current;

/// Name of the variable that has the events recorded, in the folder that it names.
const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// Lines that a process records at most; they take about 10 megabytes.
const MOST: u32 = 100_000;

static FILE: OnceLock<File> = OnceLock::new();
static LINES: AtomicU32 = AtomicU32::new(0);
static RECORDER: OnceLock<Dispatch> = OnceLock::new();

/// Returns the listener that records, where a recording is asked for; it is there from [`init`](crate::init) on.
///
/// With the variable `MULTIPROCESS_RECORD` set to a folder, each process of the program writes what happens in it into a
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

/// The time by the system's monotonic clock, in nanoseconds.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock counts from the start of the system.
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// Has the events recorded where the variable asks for it.
pub(super) fn record_if_asked() {
    let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) else {
        return;
    };
    let folder = Path::new(&folder);
    let identity = current::identity();
    // A process id comes again, in a long recording; a time does not.
    let name = format!("{}-{}.jsonl", identity.this.pid, now());
    let path = folder.join(name);
    let file = OpenOptions::new().append(true).create_new(true).open(&path);
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            eprintln!(
                "{VARIABLE}: {} cannot be made, so this process is not recorded: {error}",
                path.display()
            );
            return;
        }
    };
    let _ = FILE.set(file);
    let _ = RECORDER.set(Dispatch::new(Recorder));
    let mut line = Line::begin(now(), "process begins");
    line.text("name", &identity.this.name);
    line.plain("pid", &identity.this.pid);
    if let Some(parent) = &identity.parent {
        line.plain("parent", &parent.pid);
    }
    line.write();
}

/// The last thing that a process does in an orderly way; `tracing` may not be there any more.
pub(crate) fn process_ends() {
    if FILE.get().is_some() {
        Line::begin(now(), "process ends").write();
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
        event.record(&mut line);
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
    let number = gettid().as_raw_pid();
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
    fields: Vec<u8>,
}

impl Line {
    /// An event without a name gets its message as one.
    fn begin(at: u64, event: &'static str) -> Line {
        let mut fields = BUFFER.try_with(RefCell::take).unwrap_or_default();
        fields.clear();
        // The time is written last, because a field may say another; it takes up to 26 bytes.
        fields.resize(ROOM, b' ');
        Line { at, event, fields }
    }

    fn plain(&mut self, name: &str, value: &dyn fmt::Display) {
        let _ = write!(self.fields, ",\"{name}\":{value}");
    }

    fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.fields, ",\"{name}\":");
        let _ = serde_json::to_writer(&mut self.fields, value);
    }

    /// Writes the line in one piece. Who records does not learn that there is no room left: the program goes on.
    fn write(mut self) {
        let line = LINES.fetch_add(1, Ordering::Relaxed);
        if line >= MOST {
            // The count stays where it is, so that it does not begin again.
            LINES.store(MOST + 1, Ordering::Relaxed);
            if line > MOST {
                return;
            }
            self.fields.truncate(ROOM);
            self.event = "recording full";
        }
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
        if let Some(mut file) = FILE.get() {
            let _ = file.write_all(&self.fields[start..]);
        }
        let _ = BUFFER.try_with(|buffer| buffer.replace(self.fields));
    }
}

/// Room for `{"at":` and a number of 64 bits.
const ROOM: usize = 26;

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "at" {
            self.at = value;
        } else {
            self.plain(field.name(), &value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = match field.name() {
            "message" => "event",
            name => name,
        };
        self.text(name, &format!("{value:?}"));
    }
}

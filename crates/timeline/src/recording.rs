//! Reads the recording of a run: each process wrote a file with one event per line, as JSON.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The recording of one process.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u64,
    /// When its parent started it.
    pub(crate) started: u64,
    /// When it began to record, or `started` if it ended before that.
    pub(crate) begins: u64,
    /// In the order of the file, which keeps the order of each thread.
    pub(crate) events: Vec<Event>,
}

/// An event, with its time in nanoseconds.
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) what: String,
    fields: Value,
}

impl Event {
    /// Returns the text of a field, or an empty text.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_default()
    }

    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        self.fields[field].as_u64()
    }

    /// Returns when the thread began to wait for the event, or else the time of the event.
    pub(crate) fn since(&self) -> u64 {
        self.number("since").unwrap_or(self.at).min(self.at)
    }
}

/// Reads the recording in a folder, and returns its processes in the order of their starts.
///
/// A line may be incomplete, if the process was killed or couldn't write any more.
pub(crate) fn read(folder: &Path) -> Result<Vec<Process>> {
    let shown = folder.display();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))?;
    let mut processes = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "jsonl") {
            let name = path.display();
            let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
            let process = read_process(&String::from_utf8_lossy(&bytes));
            processes.extend(process.with_context(|| format!("{name} is not a recording"))?);
        }
    }
    ensure!(
        !processes.is_empty(),
        "{shown} contains no recording: run a program that uses the crate `multiprocess` with \
         MULTIPROCESS_RECORD={shown} in its environment"
    );
    sort(&mut processes);
    Ok(processes)
}

/// Returns `None` for a process that was killed before it wrote a line.
fn read_process(text: &str) -> Result<Option<Process>> {
    let mut events = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        // An incomplete line isn't JSON, not even with the next one behind it.
        if line.ends_with('\n')
            && let Ok(fields) = serde_json::from_str(line)
        {
            let event = read_event(fields).with_context(|| format!("line {}", index + 1))?;
            events.push(event);
        }
    }
    if events.is_empty() {
        return Ok(None);
    }
    let first = events.remove(0);
    let pid = first.number("pid");
    let pid = pid.filter(|_| first.what == "process begins");
    let pid = pid.context("line 1: expected the event `process begins` with its `pid`")?;
    Ok(Some(Process {
        name: first.text("name").to_owned(),
        pid,
        started: first.at,
        begins: first.at,
        events,
    }))
}

fn read_event(mut fields: Value) -> Result<Event> {
    for (_, value) in fields.as_object_mut().into_iter().flatten() {
        if let Value::String(text) = value {
            // An escape sequence would reach the terminal, and isn't allowed in an SVG.
            *text = text.replace(char::is_control, "\u{fffd}");
        }
    }
    let at = fields["at"].as_u64();
    let at = at.context("an event needs a time `at`")?;
    let what = fields["event"].as_str();
    let what = what.context("an event needs a name `event`")?.to_owned();
    Ok(Event { at, what, fields })
}

/// Sorts the processes by their starts, which their parents have recorded, and adds those that ended before they
/// recorded anything.
fn sort(processes: &mut Vec<Process>) {
    let events = processes.iter().flat_map(|parent| &parent.events);
    let starts = events.filter(|event| event.what == "process started");
    let starts = starts.filter_map(|event| {
        let name = event.text("name").to_owned();
        Some((event.at, event.number("pid")?, name))
    });
    let mut starts: Vec<_> = starts.collect();
    starts.sort();
    for (started, pid, name) in starts {
        let children = processes.iter_mut();
        let children = children.filter(|child| child.pid == pid && child.begins >= started);
        match children.min_by_key(|child| child.begins) {
            Some(child) => child.started = started,
            None => processes.push(Process {
                name,
                pid,
                started,
                begins: started,
                events: Vec::new(),
            }),
        }
    }
    processes.sort_by_key(|process| process.started);
}

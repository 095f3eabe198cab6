//! Reading what the processes of a run have recorded.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;

/// What one process recorded.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) pid: u64,
    /// Without one it is the first process of a program.
    pub(super) parent: Option<u64>,
    pub(super) begins: u64,
    /// In the order in which each thread told them.
    pub(super) events: Vec<Event>,
}

/// An event, with the time in nanoseconds by a clock that all processes share.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: u64,
    pub(super) what: String,
    fields: Value,
}

impl Event {
    /// Gives a field that is a text, or an empty text.
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_default()
    }

    pub(super) fn number(&self, field: &str) -> Option<u64> {
        self.fields[field].as_u64()
    }

    /// The thread that told it; none where the process itself did.
    pub(super) fn thread(&self) -> Option<u64> {
        self.number("thread")
    }
}

/// Reads the recording in a folder: its processes in the order in which they were started.
///
/// A line may be half written: the process was killed then, or there was no room for more.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Process>> {
    let cannot_be_read = || format!("{} cannot be read", folder.display());
    let mut processes = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot_be_read)? {
        let path = entry.with_context(cannot_be_read)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let bytes =
                fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let process = read_process(&String::from_utf8_lossy(&bytes))
                .with_context(|| format!("{} is no recording of a process", path.display()))?;
            processes.extend(process);
        }
    }
    ensure!(
        !processes.is_empty(),
        "{} holds no recording: run a program that uses the crate `multiprocess` with \
         MULTIPROCESS_RECORD={0} in its environment",
        folder.display()
    );
    add_unborn(&mut processes);
    sort(&mut processes);
    Ok(processes)
}

/// Adds the processes that were started and ended before they could record anything.
fn add_unborn(processes: &mut Vec<Process>) {
    let mut unborn = Vec::new();
    for parent in &*processes {
        let started = parent
            .events
            .iter()
            .filter(|event| event.what == "process started");
        for event in started {
            let pid = event.number("pid").unwrap_or(0);
            let is_it = |child: &Process| child.pid == pid && child.begins >= event.at;
            if !processes.iter().any(is_it) {
                unborn.push(Process {
                    name: event.text("name").to_owned(),
                    pid,
                    parent: Some(parent.pid),
                    begins: event.at,
                    events: Vec::new(),
                });
            }
        }
    }
    processes.extend(unborn);
}

/// Puts the processes in the order in which they were started, which their parents know.
fn sort(processes: &mut [Process]) {
    let starts = processes.iter().flat_map(|parent| {
        let started = parent
            .events
            .iter()
            .filter(|event| event.what == "process started");
        started.filter_map(|event| Some((event.number("pid")?, event.at)))
    });
    let starts: Vec<(u64, u64)> = starts.collect();
    processes.sort_by_key(|process| {
        let own = starts
            .iter()
            .filter(|(pid, at)| *pid == process.pid && *at <= process.begins);
        own.map(|(_, at)| *at).max().unwrap_or(process.begins)
    });
}

/// Gives nothing for a process that was killed before it had written a line.
fn read_process(text: &str) -> anyhow::Result<Option<Process>> {
    let whole_lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let mut events = Vec::new();
    for (index, line) in whole_lines.enumerate() {
        // A half line is never JSON, nor is one with the next behind it.
        let Ok(fields) = serde_json::from_str(line) else {
            continue;
        };
        let event = read_event(fields).with_context(|| format!("line {}", index + 1))?;
        events.push(event);
    }
    if events.is_empty() {
        return Ok(None);
    }
    let first = events.remove(0);
    let pid = first
        .number("pid")
        .filter(|_| first.what == "process begins");
    let pid = pid.context("line 1: expected the event `process begins` with its `pid`")?;
    Ok(Some(Process {
        name: first.text("name").to_owned(),
        pid,
        parent: first.number("parent"),
        begins: first.at,
        events,
    }))
}

fn read_event(fields: Value) -> anyhow::Result<Event> {
    let at = fields["at"]
        .as_u64()
        .context("an event needs a time `at`")?;
    let what = fields["event"]
        .as_str()
        .context("an event needs a name `event`")?;
    Ok(Event {
        at,
        what: what.to_owned(),
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::{read, read_process};
    use std::fs;

    const BEGIN: &str =
        "{\"at\":5,\"name\":\"worker 1\",\"pid\":7,\"parent\":3,\"event\":\"process begins\"}\n";

    #[test]
    fn a_process_is_read_with_its_events() {
        let text = format!("{BEGIN}{{\"at\":9,\"thread\":7,\"queue\":\"q\",\"event\":\"put\"}}\n");
        let process = read_process(&text).unwrap().unwrap();
        assert_eq!(
            (process.name.as_str(), process.pid, process.parent),
            ("worker 1", 7, Some(3))
        );
        let [put] = process.events.as_slice() else {
            panic!("one event: {process:?}");
        };
        assert_eq!(
            (put.at, put.what.as_str(), put.text("queue"), put.thread()),
            (9, "put", "q", Some(7))
        );
    }

    #[test]
    fn a_last_line_that_was_cut_off_by_death_does_not_matter() {
        let process = read_process(&format!("{BEGIN}{{\"at\":9,\"thr"))
            .unwrap()
            .unwrap();
        assert!(process.events.is_empty());
        assert!(read_process("{\"at\":5,\"na").unwrap().is_none());
    }

    #[test]
    fn a_torn_line_and_an_empty_one_spoil_no_other() {
        let text = format!(
            "{BEGIN}\n{{\"at\":8,\"thr{{\"at\":9,\"event\":\"lost\"}}\n\
             {{\"at\":10,\"event\":\"kept\"}}\n"
        );
        let process = read_process(&text).unwrap().unwrap();
        let whats: Vec<&str> = process.events.iter().map(|e| e.what.as_str()).collect();
        assert_eq!(whats, ["kept"]);
    }

    #[test]
    fn what_is_no_recording_is_named() {
        let error = format!(
            "{:#}",
            read_process(&format!("{BEGIN}{{\"at\":9}}\n")).unwrap_err()
        );
        assert!(error.starts_with("line 2"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let empty = read(folder.path()).unwrap_err().to_string();
        assert!(empty.contains("holds no recording"), "{empty}");
        fs::write(
            folder.path().join("7-5.jsonl"),
            "{\"at\":5,\"event\":\"got\"}\n",
        )
        .unwrap();
        let error = format!("{:#}", read(folder.path()).unwrap_err());
        assert!(error.contains("7-5.jsonl is no recording"), "{error}");
    }
}

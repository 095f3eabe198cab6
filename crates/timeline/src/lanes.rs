//! Turns a recording into lanes.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::{Arrow, Item, Kind, Lane, Part, Timeline};
use crate::recording::{Event, Process};

/// Turns the events that the processes of a run recorded into a timeline.
pub(crate) fn timeline(processes: &[Process]) -> Timeline {
    let mut events: Vec<(usize, &Event)> = Vec::new();
    for (number, process) in processes.iter().enumerate() {
        events.extend(process.events.iter().map(|event| (number, event)));
    }
    // All processes use one clock, so no event comes before its cause. Each thread keeps its order.
    events.sort_by_key(|(_, event)| event.at);
    let made = events.iter().filter(|(_, event)| event.what == "made");
    let names = made.map(|(_, event)| (event.text("memory"), short_name(event.text("what"))));
    let mut builder = Builder {
        processes,
        names: names.collect(),
        ends: vec![None; processes.len()],
        ..Builder::default()
    };
    let begins = processes.iter().map(|process| process.begins);
    let last = begins
        .clone()
        .chain(events.last().map(|(_, event)| event.at))
        .max();
    builder.begin_part(begins.min().unwrap_or_default(), "");
    for process in 0..processes.len() {
        builder.add_lanes(process);
    }
    for (process, event) in events {
        builder.add_event(process, event);
    }
    builder.finish(last.unwrap_or_default())
}

#[derive(Default)]
struct Builder<'a> {
    processes: &'a [Process],
    lanes: Vec<Lane>,
    /// The process of each lane.
    owners: Vec<usize>,
    /// Lanes by process and thread.
    by_thread: HashMap<(usize, u64), usize>,
    /// The lanes that ended before their processes.
    ended: Vec<usize>,
    /// The open spans: for each its lane, its lock or queue, and the span.
    open: Vec<(usize, &'a str, Item)>,
    /// The names of locks and queues, by their memory.
    names: HashMap<&'a str, String>,
    /// The lane and time of each message that was put.
    put: HashMap<(&'a str, u64), (usize, u64)>,
    /// The lane that held a lock last, and when it released it.
    locks: HashMap<&'a str, (usize, Option<u64>)>,
    /// When each process ended, if known.
    ends: Vec<Option<u64>>,
    /// The processes that were terminated by their pool.
    terminated: Vec<usize>,
    arrows: Vec<Arrow>,
    parts: Vec<Part>,
    is_cut: bool,
}

impl<'a> Builder<'a> {
    /// Adds the lane of a process, and the lanes of its threads that have something to show.
    fn add_lanes(&mut self, number: usize) {
        let process = &self.processes[number];
        let name = match process.name.as_str() {
            "MainProcess" if self.processes.len() == 1 => "main",
            name => name,
        };
        self.add_lane(number, process.pid, name.to_owned(), process.begins);
        for event in &process.events {
            if let Some(thread) = event.number("thread")
                && !self.by_thread.contains_key(&(number, thread))
                && self.is_shown(event)
            {
                self.add_lane(number, thread, format!("thread {thread}"), event.at);
            }
        }
    }

    fn add_lane(&mut self, process: usize, thread: u64, name: String, start: u64) {
        self.by_thread.insert((process, thread), self.lanes.len());
        self.owners.push(process);
        self.lanes.push(Lane {
            name,
            pid: self.processes[process].pid,
            thread,
            start,
            end: start,
            items: Vec::new(),
        });
    }

    /// Returns whether an event gives its thread a lane. What the crate does internally doesn't: the loop of a pool
    /// worker, locks that the program didn't create, and waiting for the ends of processes.
    fn is_shown(&self, event: &Event) -> bool {
        match event.what.as_str() {
            "task begins" | "task ends" => !event.text("function").starts_with("multiprocess::"),
            "put" | "got" | "mark" | "lane ends" => true,
            what => what.starts_with("lock ") && self.names.contains_key(event.text("lock")),
        }
    }

    /// Adds an event of a process.
    fn add_event(&mut self, process: usize, event: &'a Event) {
        let (at, main) = (event.at, self.main_lane(process));
        match (event.what.as_str(), self.child(event)) {
            ("part", _) => self.begin_part(at, event.text("text").trim_end_matches(':')),
            ("recording full", _) => self.is_cut = true,
            ("process ends", _) => {
                self.ends[process] = Some(at);
                self.lanes[main].end = at;
            }
            ("process started", Some(child)) => {
                let to = (self.main_lane(child), self.processes[child].begins);
                self.arrow("started", (main, at), to);
            }
            ("worker terminated", Some(child)) => self.terminated.push(child),
            ("process ended", Some(child)) => {
                let lane = self.main_lane(child);
                let end = *self.ends[child].get_or_insert(at);
                let end = end.max(self.lanes[lane].end);
                self.arrow("ended", (lane, end), (main, at));
                let status = event.text("status");
                // `SIGKILL` of `signal: 9 (SIGKILL)`.
                let short = status.split(['(', ')']).nth(1).unwrap_or(status);
                let kind = match short {
                    "exit status: 0" | "unknown" => return,
                    "SIGKILL" if self.terminated.contains(&child) => Kind::Terminated,
                    _ => Kind::Failed,
                };
                self.mark(lane, kind, end, short.to_owned());
            }
            (_, child) => {
                let thread = event.number("thread").unwrap_or_default();
                if let Some(&lane) = self.by_thread.get(&(process, thread)) {
                    let shown = &mut self.lanes[lane];
                    (shown.start, shown.end) = (shown.start.min(event.since()), at);
                    self.add_to_lane(lane, event, child);
                }
            }
        }
    }

    fn begin_part(&mut self, start: u64, title: &str) {
        if let Some(before) = self.parts.last_mut() {
            before.end = start;
        }
        // A part without a title in which nothing happens is left out.
        let is_idle = self.open.is_empty() && self.lanes.iter().all(|lane| lane.items.is_empty());
        let is_titled = |part: &Part| !(is_idle && part.title.is_empty());
        let is_part = |part: &Part| part.start < part.end && is_titled(part);
        self.parts.retain(is_part);
        let (title, end) = (title.to_owned(), start);
        self.parts.push(Part { title, start, end });
    }

    /// Adds an event of a thread that has a lane.
    fn add_to_lane(&mut self, lane: usize, event: &'a Event, child: Option<usize>) {
        let at = event.at;
        let (lock, queue) = (event.text("lock"), event.text("queue"));
        let item = event.number("item").unwrap_or(0);
        let name = |memory| self.names.get(memory).cloned().unwrap_or_default();
        let (lock_name, queue_name) = (name(lock), name(queue));
        match event.what.as_str() {
            "join awaited" => {
                let name = child.map_or("a process", |child| &*self.processes[child].name);
                self.open(lane, "", Kind::Wait, at, format!("for the end of {name}"));
            }
            "joined" => drop(self.close(lane, "", Kind::Wait, at)),
            "thread seen" if !self.is_main(lane) && !event.text("name").is_empty() => {
                event.text("name").clone_into(&mut self.lanes[lane].name);
            }
            _ if !self.is_shown(event) => {}
            "task begins" => self.open(lane, "", Kind::Task, at, task_label(event)),
            "task ends" => drop(self.close(lane, "", Kind::Task, at)),
            "lock awaited" => {
                self.open(lane, lock, Kind::Wait, at, format!("for {lock_name}"));
            }
            "lock held" => {
                let asked = self.close(lane, lock, Kind::Wait, at).unwrap_or(at);
                self.open(lane, lock, Kind::Hold, at, lock_name);
                match self.locks.insert(lock, (lane, None)) {
                    Some((from, Some(released))) if from != lane && released > asked => {
                        self.arrow("lock handed over", (from, released), (lane, at));
                    }
                    // The holder had died by then.
                    Some((dead, None)) if self.owners[dead] != self.owners[lane] => {
                        self.ends[self.owners[dead]].get_or_insert(at);
                    }
                    _ => {}
                }
            }
            "lock refused" => drop(self.close(lane, lock, Kind::Wait, at)),
            "lock released" => {
                self.close(lane, lock, Kind::Hold, at);
                self.locks.insert(lock, (lane, Some(at)));
            }
            "put" => {
                self.put.insert((queue, item), (lane, at));
                self.mark(lane, Kind::Put, at, format!("{queue_name} {item}"));
            }
            "got" => {
                let label = format!("for {queue_name}");
                self.open(lane, queue, Kind::Wait, event.since(), label);
                self.close(lane, queue, Kind::Wait, at);
                self.mark(lane, Kind::Got, at, format!("{queue_name} {item}"));
                if let Some(&from) = self.put.get(&(queue, item)) {
                    self.arrow("message", from, (lane, at));
                }
            }
            "mark" => {
                event.text("lane").clone_into(&mut self.lanes[lane].name);
                self.mark(lane, Kind::Note, at, event.text("text").to_owned());
            }
            "lane ends" if !self.is_main(lane) => self.ended.push(lane),
            _ => {}
        }
    }

    /// Returns the process that an event of its parent is about.
    fn child(&self, event: &Event) -> Option<usize> {
        let pid = event.number("pid")?;
        let is_it = |child: &Process| child.pid == pid && child.started <= event.at;
        self.processes.iter().rposition(is_it)
    }

    fn main_lane(&self, process: usize) -> usize {
        self.by_thread[&(process, self.processes[process].pid)]
    }

    fn is_main(&self, lane: usize) -> bool {
        self.lanes[lane].thread == self.lanes[lane].pid
    }

    fn mark(&mut self, lane: usize, kind: Kind, at: u64, label: String) {
        self.lanes[lane].items.push(item(kind, at, label));
    }

    fn arrow(&mut self, cause: &'static str, from: (usize, u64), to: (usize, u64)) {
        self.arrows.push(Arrow { cause, from, to });
    }

    fn open(&mut self, lane: usize, about: &'a str, kind: Kind, start: u64, label: String) {
        self.open.push((lane, about, item(kind, start, label)));
    }

    /// Closes the most recent open span of this kind, and returns its start.
    fn close(&mut self, lane: usize, about: &str, kind: Kind, end: u64) -> Option<u64> {
        let is_it =
            |open: &(usize, &str, Item)| (open.0, open.1, open.2.kind) == (lane, about, kind);
        let (.., span) = self.open.remove(self.open.iter().rposition(is_it)?);
        let start = span.start;
        self.lanes[lane].items.push(Item { end, ..span });
        Some(start)
    }

    fn finish(mut self, last: u64) -> Timeline {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if !self.ended.contains(&number) {
                lane.end = lane.end.max(self.ends[self.owners[number]].unwrap_or(last));
            }
        }
        for (lane, _, span) in self.open {
            let end = self.lanes[lane].end;
            self.lanes[lane].items.push(Item { end, ..span });
        }
        for lane in &mut self.lanes {
            lane.items
                .sort_by_key(|item| (item.start, Reverse(item.end)));
        }
        self.arrows.sort_by_key(|arrow| arrow.to.1);
        if let Some(part) = self.parts.last_mut() {
            // It includes the last event.
            part.end = last + 1;
        }
        Timeline {
            lanes: self.lanes,
            arrows: self.arrows,
            parts: self.parts,
            is_cut: self.is_cut,
        }
    }
}

fn item(kind: Kind, start: u64, label: String) -> Item {
    let end = start;
    Item {
        kind,
        start,
        end,
        label,
    }
}

/// Returns `doubled`, or `doubled, input 3` in a pool.
fn task_label(event: &Event) -> String {
    let name = event.text("function").rsplit("::").next().unwrap_or("");
    match (event.number("first"), event.number("count")) {
        (Some(first), Some(1)) => format!("{name}, input {first}"),
        (Some(first), Some(count)) => format!("{name}, inputs {first} to {}", first + count - 1),
        _ => name.to_owned(),
    }
}

/// Shortens `a Queue of core::option::Option<u64>` to `a Queue`.
fn short_name(what: &str) -> String {
    let kinds = ["Queue", "channel", "pipe", "Array"];
    let kind = kinds.iter().find(|kind| what.contains(*kind));
    kind.map_or(what.to_owned(), |kind| format!("a {kind}"))
}

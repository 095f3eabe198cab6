//! Makes lanes out of a recording.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::{Arrow, Cause, Kind, Lane, Mark, Part, Sign, Span, Timeline};
use crate::recording::{Event, Process};

/// Makes the timeline of a run out of what its processes recorded.
pub(crate) fn timeline(processes: &[Process]) -> Timeline {
    let mut events: Vec<(usize, &Event)> = Vec::new();
    for (number, process) in processes.iter().enumerate() {
        events.extend(process.events.iter().map(|event| (number, event)));
    }
    // All have one clock: nothing comes before its cause, and each thread keeps its order.
    events.sort_by_key(|(_, event)| event.at);
    let made = events.iter().filter(|(_, event)| event.what == "made");
    let names = made.map(|(_, event)| (event.text("memory"), short_name(event.text("what"))));
    let mut builder = Builder {
        processes,
        names: names.collect(),
        ends: vec![None; processes.len()],
        last: events.last().map_or(0, |(_, event)| event.at),
        ..Builder::default()
    };
    for process in 0..processes.len() {
        builder.add_lanes(process);
    }
    for (process, event) in events {
        builder.take(process, event);
    }
    builder.finish()
}

#[derive(Default)]
struct Builder<'a> {
    processes: &'a [Process],
    lanes: Vec<Lane>,
    /// What else is known of each lane.
    states: Vec<State<'a>>,
    /// Lanes by process and thread.
    by_thread: HashMap<(usize, u64), usize>,
    /// What the memory of a lock or a queue is.
    names: HashMap<&'a str, String>,
    /// The lane and time of each message that was put.
    put: HashMap<(&'a str, u64), (usize, u64)>,
    /// The lane that holds a lock.
    holders: HashMap<&'a str, usize>,
    /// The lane that released a lock last, and when.
    released: HashMap<&'a str, (usize, u64)>,
    /// When each process ended, as far as it is known.
    ends: Vec<Option<u64>>,
    /// When another process got a lock that this one held: it was dead by then.
    dead_by: HashMap<usize, u64>,
    /// Processes that their pool ended.
    terminated: Vec<usize>,
    /// The ends of children, as their parents know them: parent, child, time, and exit status.
    reaped: Vec<(usize, usize, u64, &'a str)>,
    arrows: Vec<Arrow>,
    parts: Vec<(u64, String)>,
    last: u64,
    is_cut: bool,
}

#[derive(Default)]
struct State<'a> {
    process: usize,
    /// Spans that have not ended, with the lock or the queue that they are about.
    open: Vec<(&'a str, Span)>,
    /// The time of its last event.
    seen: u64,
    end: Option<u64>,
}

impl<'a> Builder<'a> {
    /// Adds the lane of a process, and those of its threads that do something that is shown.
    fn add_lanes(&mut self, number: usize) {
        let process = &self.processes[number];
        let name = match process.name.as_str() {
            "MainProcess" if self.processes.len() == 1 => "main",
            name => name,
        };
        self.add_lane(number, process.pid, name, process.begins);
        for event in &process.events {
            if let Some(thread) = event.number("thread")
                && !self.by_thread.contains_key(&(number, thread))
                && self.is_shown(event)
            {
                self.add_lane(number, thread, &format!("thread {thread}"), event.at);
            }
        }
    }

    fn add_lane(&mut self, process: usize, thread: u64, name: &str, start: u64) {
        self.by_thread.insert((process, thread), self.lanes.len());
        let pid = self.processes[process].pid;
        self.lanes.push(Lane {
            name: name.to_owned(),
            process: pid,
            thread,
            is_main: thread == pid,
            start,
            end: start,
            spans: Vec::new(),
            marks: Vec::new(),
        });
        self.states.push(State {
            process,
            seen: start,
            ..State::default()
        });
    }

    /// Returns whether an event gives its thread a lane. What the crate does for itself does not: the loop of a pool's
    /// worker, locks that the program did not make, and waiting for ends of processes.
    fn is_shown(&self, event: &Event) -> bool {
        match event.what.as_str() {
            "task begins" | "task ends" => !event.text("function").starts_with("multiprocess::"),
            "put" | "got" | "mark" | "lane ends" => true,
            what => what.starts_with("lock ") && self.names.contains_key(event.text("lock")),
        }
    }

    /// Takes in an event of a process.
    fn take(&mut self, process: usize, event: &'a Event) {
        let (at, main) = (event.at, self.main_lane(process));
        let child = self.child(event);
        match (event.what.as_str(), child) {
            ("part", _) => self.parts.push((at, event.text("text").to_owned())),
            ("recording full", _) => self.is_cut = true,
            ("process ends", _) => {
                self.ends[process] = Some(at);
                self.states[main].seen = at;
            }
            ("process started", Some(child)) => {
                let to = (self.main_lane(child), self.processes[child].begins);
                self.arrow(Cause::Started, (main, at), to);
            }
            ("worker terminated", Some(child)) => self.terminated.push(child),
            ("process ended", Some(child)) => {
                let dead_by = self.dead_by.get(&child).copied().unwrap_or(at);
                self.ends[child].get_or_insert(dead_by);
                self.reaped.push((process, child, at, event.text("status")));
            }
            _ => {
                let lane = event.number("thread").map(|thread| (process, thread));
                if let Some(&lane) = lane.and_then(|lane| self.by_thread.get(&lane)) {
                    self.states[lane].seen = at;
                    let start = &mut self.lanes[lane].start;
                    *start = event.since.min(*start);
                    self.take_in_lane(lane, event);
                }
            }
        }
    }

    /// Takes in an event of a thread that has a lane.
    fn take_in_lane(&mut self, lane: usize, event: &'a Event) {
        let at = event.at;
        let (lock, queue) = (event.text("lock"), event.text("queue"));
        let item = event.number("item").unwrap_or(0);
        match event.what.as_str() {
            "join awaited" => {
                let child = self.child(event);
                let name = child.map_or("a process", |child| &*self.processes[child].name);
                let label = format!("for the end of {name}");
                self.open(lane, "", Kind::Wait, at, label);
            }
            "joined" => drop(self.close(lane, "", Kind::Wait, at)),
            "thread seen" if !self.lanes[lane].is_main && !event.text("name").is_empty() => {
                event.text("name").clone_into(&mut self.lanes[lane].name);
            }
            _ if !self.is_shown(event) => {}
            "task begins" => self.open(lane, "", Kind::Task, at, task_label(event)),
            "task ends" => drop(self.close(lane, "", Kind::Task, at)),
            "lock awaited" => {
                let label = format!("for {}", self.name(lock));
                self.open(lane, lock, Kind::Wait, at, label);
            }
            "lock held" => {
                let asked = self.close(lane, lock, Kind::Wait, at).unwrap_or(at);
                self.open(lane, lock, Kind::Hold, at, self.name(lock).to_owned());
                let released = self.released.get(lock).copied();
                if let Some(from) = released.filter(|(from, at)| *from != lane && *at > asked) {
                    self.arrow(Cause::Lock, from, (lane, at));
                }
                let holder = self.holders.insert(lock, lane);
                let holder = holder.map(|holder| self.states[holder].process);
                if let Some(dead) = holder.filter(|holder| *holder != self.states[lane].process) {
                    self.dead_by.entry(dead).or_insert(at);
                }
            }
            "lock refused" => drop(self.close(lane, lock, Kind::Wait, at)),
            "lock released" => {
                self.close(lane, lock, Kind::Hold, at);
                self.holders.remove(lock);
                self.released.insert(lock, (lane, at));
            }
            "put" => {
                self.put.insert((queue, item), (lane, at));
                self.mark(lane, Sign::Put, at, format!("{} {item}", self.name(queue)));
            }
            "got" => {
                let label = format!("for {}", self.name(queue));
                self.open(lane, queue, Kind::Wait, event.since, label);
                self.close(lane, queue, Kind::Wait, at);
                self.mark(lane, Sign::Got, at, format!("{} {item}", self.name(queue)));
                if let Some(&from) = self.put.get(&(queue, item)) {
                    self.arrow(Cause::Message, from, (lane, at));
                }
            }
            "mark" => {
                event.text("lane").clone_into(&mut self.lanes[lane].name);
                self.mark(lane, Sign::Note, at, event.text("text").to_owned());
            }
            "lane ends" => self.states[lane].end = Some(at),
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

    /// Returns what the memory is, if the recording says it.
    fn name(&self, memory: &str) -> &str {
        self.names.get(memory).map_or("", String::as_str)
    }

    fn mark(&mut self, lane: usize, sign: Sign, at: u64, label: String) {
        self.lanes[lane].marks.push(Mark { sign, at, label });
    }

    fn arrow(&mut self, cause: Cause, from: (usize, u64), to: (usize, u64)) {
        self.arrows.push(Arrow { cause, from, to });
    }

    fn open(&mut self, lane: usize, about: &'a str, kind: Kind, start: u64, label: String) {
        let end = start;
        let span = Span {
            kind,
            start,
            end,
            label,
        };
        self.states[lane].open.push((about, span));
    }

    /// Ends the last span of that kind that was opened, and returns its start.
    fn close(&mut self, lane: usize, about: &str, kind: Kind, end: u64) -> Option<u64> {
        let open = &mut self.states[lane].open;
        let place = open
            .iter()
            .rposition(|(other, span)| *other == about && span.kind == kind)?;
        let (_, span) = open.remove(place);
        let start = span.start;
        self.lanes[lane].spans.push(Span { end, ..span });
        Some(start)
    }

    fn finish(mut self) -> Timeline {
        let ends = self.ends.iter().enumerate().map(|(process, end)| {
            let seen = self.states[self.main_lane(process)].seen;
            end.unwrap_or(self.last).max(seen)
        });
        let ends: Vec<u64> = ends.collect();
        for (lane, state) in self.lanes.iter_mut().zip(&mut self.states) {
            let of_thread = state.end.filter(|_| !lane.is_main);
            let end = of_thread.unwrap_or(ends[state.process]).max(state.seen);
            lane.end = end;
            let open = state.open.drain(..).map(|(_, span)| Span { end, ..span });
            lane.spans.extend(open);
            lane.spans
                .sort_by_key(|span| (span.start, Reverse(span.end)));
        }
        for (parent, child, at, status) in std::mem::take(&mut self.reaped) {
            let lane = self.main_lane(child);
            let end = self.lanes[lane].end;
            self.arrow(Cause::Ended, (lane, end), (self.main_lane(parent), at));
            // `SIGKILL` of `signal: 9 (SIGKILL)`.
            let signal = status
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once(')'));
            let short = signal.map_or(status, |(name, _)| name);
            let sign = match short {
                "exit status: 0" | "unknown" => continue,
                "SIGKILL" if self.terminated.contains(&child) => Sign::Terminated,
                _ => Sign::Failed,
            };
            self.mark(lane, sign, end, short.to_owned());
        }
        self.arrows.sort_by_key(|arrow| arrow.to.1);
        Timeline {
            parts: parts(self.parts, self.last + 1),
            lanes: self.lanes,
            arrows: self.arrows,
            is_cut: self.is_cut,
        }
    }
}

/// Cuts the run into parts, given when each begins. The last one also contains what happens last.
fn parts(begun: Vec<(u64, String)>, end: u64) -> Vec<Part> {
    let ends: Vec<u64> = begun.iter().map(|(start, _)| *start).chain([end]).collect();
    let begun = [(0, String::new())].into_iter().chain(begun);
    let parts = begun.zip(ends);
    let parts = parts.map(|((start, title), end)| Part { title, start, end });
    parts.filter(|part| part.start < part.end).collect()
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

//! Making lanes out of a recording.

use std::collections::HashMap;

use super::model::{Arrow, Kind, Lane, Mark, Part, Sign, Span, Timeline};
use super::recording::{Event, Process};

/// Makes the picture of a run out of what its processes recorded.
pub(super) fn timeline(processes: &[Process]) -> Timeline {
    let mut drawing = Drawing::new(processes);
    for (number, process) in processes.iter().enumerate() {
        drawing.draw(number, process);
    }
    drawing.end_what_is_open(processes);
    drawing.finish()
}

/// What is known of a lane while it is drawn.
#[derive(Default)]
pub(super) struct Open {
    tasks: Vec<Span>,
    /// Locks that are held, and those that are waited for.
    locks: Vec<(String, Span)>,
    join: Option<Span>,
    /// When it last told something.
    seen: u64,
    pub(super) is_over: bool,
}

pub(super) struct Drawing<'a> {
    pub(super) processes: &'a [Process],
    zero: u64,
    pub(super) lanes: Vec<Lane>,
    pub(super) open: Vec<Open>,
    /// Lanes by process and thread.
    pub(super) by_thread: HashMap<(usize, u64), usize>,
    /// What the memory of a lock or a queue is.
    made: HashMap<String, String>,
    /// For each message that was put: its lane and time.
    pub(super) put: HashMap<(String, u64), (usize, u64)>,
    pub(super) got: Vec<(String, u64, usize, u64)>,
    /// Each time a lock was held: the lock, the lane, from when to when, and whether it was waited for.
    pub(super) held: Vec<Held>,
    /// Where and when a child was started, and the child, which may have no lane yet.
    pub(super) started: Vec<((usize, u64), usize)>,
    pub(super) arrows: Vec<Arrow>,
    parts: Vec<(u64, String)>,
    last: u64,
    is_cut: bool,
}

pub(super) struct Held {
    pub(super) lock: String,
    pub(super) lane: usize,
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) asked: u64,
}

impl<'a> Drawing<'a> {
    fn new(processes: &'a [Process]) -> Drawing<'a> {
        let zero = processes.iter().map(|process| process.begins).min();
        let events = || processes.iter().flat_map(|process| &process.events);
        let made = events().filter(|event| event.what == "made");
        let made = made.map(|event| {
            (
                event.text("memory").to_owned(),
                known_as(event.text("what")),
            )
        });
        let zero = zero.unwrap_or(0);
        Drawing {
            processes,
            zero,
            lanes: Vec::new(),
            open: Vec::new(),
            by_thread: HashMap::new(),
            made: made.collect(),
            put: HashMap::new(),
            got: Vec::new(),
            held: Vec::new(),
            started: Vec::new(),
            arrows: Vec::new(),
            parts: Vec::new(),
            last: events()
                .map(|event| event.at)
                .max()
                .unwrap_or(zero)
                .max(zero),
            is_cut: false,
        }
    }

    pub(super) fn time(&self, at: u64) -> u64 {
        at.saturating_sub(self.zero)
    }

    fn add_lane(&mut self, number: usize, thread: u64, name: &str, start: u64) -> usize {
        let process = &self.processes[number];
        self.lanes.push(Lane {
            name: name.to_owned(),
            process: process.pid,
            thread,
            is_main: thread == process.pid,
            start,
            end: self.last - self.zero,
            spans: Vec::new(),
            marks: Vec::new(),
        });
        self.open.push(Open {
            seen: start,
            ..Open::default()
        });
        let lane = self.lanes.len() - 1;
        self.by_thread.insert((number, thread), lane);
        lane
    }

    /// The lane of the process that told the event, or of the thread, which gets one with the first event of its own.
    fn lane_of(&mut self, number: usize, event: &Event) -> usize {
        let pid = self.processes[number].pid;
        let is_of_process = matches!(event.what.as_str(), "process started" | "process ended");
        let thread = event.thread().filter(|_| !is_of_process).unwrap_or(pid);
        if let Some(&lane) = self.by_thread.get(&(number, thread)) {
            return lane;
        }
        let events = &self.processes[number].events;
        let seen = events
            .iter()
            .find(|event| event.what == "thread seen" && event.thread() == Some(thread));
        let name = match (
            event.text("lane"),
            seen.map_or("", |seen| seen.text("name")),
        ) {
            ("", "") => format!("thread {thread}"),
            ("", name) => name.to_owned(),
            (lane, _) => lane.to_owned(),
        };
        // Who got a message was there when it began to wait.
        let begins = event.number("since").unwrap_or(event.at).min(event.at);
        let start = self.time(begins);
        self.add_lane(number, thread, &name, start)
    }

    fn draw(&mut self, number: usize, process: &Process) {
        let begins = self.time(process.begins);
        let only_one = self.processes.len() == 1;
        let name = match process.name.as_str() {
            "MainProcess" if only_one => "main",
            name => name,
        };
        self.add_lane(number, process.pid, name, begins);
        for event in &process.events {
            if is_shown(event, &self.made) && !self.is_of_helper(number, event) {
                let lane = self.lane_of(number, event);
                self.take(number, lane, event);
            }
        }
    }

    /// Whether a thread that has no lane tells of the end of a process: the crate's own threads do.
    fn is_of_helper(&self, number: usize, event: &Event) -> bool {
        let is_join = matches!(event.what.as_str(), "join awaited" | "joined");
        let lane = event.thread().map(|thread| (number, thread));
        is_join && !lane.is_some_and(|lane| self.by_thread.contains_key(&lane))
    }

    fn take(&mut self, number: usize, lane: usize, event: &Event) {
        let at = self.time(event.at);
        self.see(lane, at);
        match event.what.as_str() {
            "task begins" => self.open[lane]
                .tasks
                .push(span(Kind::Task, at, task_label(event))),
            "task ends" => {
                let task = self.open[lane].tasks.pop();
                self.close(lane, task, at);
            }
            "join awaited" => {
                let name = self.name_of(event.number("pid"));
                let label = format!("for the end of {name}");
                self.open[lane].join = Some(span(Kind::Wait, at, label));
            }
            "joined" => {
                let join = self.open[lane].join.take();
                self.close(lane, join, at);
            }
            "lock awaited" | "lock held" | "lock refused" | "lock released" => {
                self.lock(lane, event);
            }
            "put" => {
                let (queue, item) = (event.text("queue"), event.number("item").unwrap_or(0));
                self.put.insert((queue.to_owned(), item), (lane, at));
                let label = format!("{} {item}", self.known(queue));
                self.mark(lane, Sign::Put, at, label);
            }
            "got" => {
                let (queue, item) = (event.text("queue"), event.number("item").unwrap_or(0));
                let since = self.time(event.number("since").unwrap_or(event.at));
                let label = format!("for {}", self.known(queue));
                self.close(lane, Some(span(Kind::Wait, since, label)), at);
                let label = format!("{} {item}", self.known(queue));
                self.mark(lane, Sign::Got, at, label);
                self.got.push((queue.to_owned(), item, lane, at));
            }
            "mark" => {
                let lane_name = event.text("lane").to_owned();
                self.lanes[lane].name = lane_name;
                self.mark(lane, Sign::Note, at, event.text("text").to_owned());
            }
            "part" => self.parts.push((at, event.text("text").to_owned())),
            "lane ends" | "process ends" => self.end(lane, at),
            "process started" => {
                // The child has the next process of that id which begins after it was started.
                if let Some(child) = self.child(number, event.number("pid"), event.at) {
                    self.started.push(((lane, at), child));
                }
            }
            "recording full" => self.is_cut = true,
            _ => {}
        }
    }

    fn lock(&mut self, lane: usize, event: &Event) {
        let at = self.time(event.at);
        let lock = event.text("lock");
        let name = self.known(lock);
        let open = &mut self.open[lane].locks;
        let place = open.iter().rposition(|(known, _)| known == lock);
        let before = place.map(|place| open.remove(place).1);
        match event.what.as_str() {
            "lock awaited" => {
                // A lock that this thread has already is asked for in vain, and stays held.
                open.extend(before.map(|span| (lock.to_owned(), span)));
                open.push((lock.to_owned(), span(Kind::Wait, at, format!("for {name}"))));
            }
            "lock held" => {
                open.push((lock.to_owned(), span(Kind::Hold, at, name)));
                let asked = before.as_ref().map_or(at, |wait| wait.start);
                self.held.push(Held {
                    lock: lock.to_owned(),
                    lane,
                    start: at,
                    end: None,
                    asked,
                });
                self.close(lane, before, at);
            }
            _ => {
                if event.what == "lock released" {
                    let mut held = self.held.iter_mut().rev();
                    if let Some(held) = held.find(|held| held.lane == lane && held.lock == lock) {
                        held.end = Some(at);
                    }
                }
                self.close(lane, before, at);
            }
        }
    }

    pub(super) fn mark(&mut self, lane: usize, sign: Sign, at: u64, label: String) {
        self.lanes[lane].marks.push(Mark { sign, at, label });
    }

    fn close(&mut self, lane: usize, open: Option<Span>, end: u64) {
        if let Some(mut span) = open {
            span.end = end.max(span.start);
            self.lanes[lane].spans.push(span);
        }
    }

    /// What the memory is, as far as the recording says.
    fn known(&self, memory: &str) -> String {
        self.made.get(memory).cloned().unwrap_or_default()
    }

    fn name_of(&self, pid: Option<u64>) -> &str {
        let process = self
            .processes
            .iter()
            .rfind(|process| Some(process.pid) == pid);
        process.map_or("a process", |process| &process.name)
    }

    fn child(&self, parent: usize, pid: Option<u64>, started: u64) -> Option<usize> {
        let parent = self.processes[parent].pid;
        let mut processes = self.processes.iter();
        processes.position(|process| {
            Some(process.pid) == pid && process.parent == Some(parent) && process.begins >= started
        })
    }

    /// Whoever tells something is there, also after what was taken for its end.
    fn see(&mut self, lane: usize, at: u64) {
        let open = &mut self.open[lane];
        open.seen = open.seen.max(at);
        if open.is_over {
            self.lanes[lane].end = open.seen;
        }
    }

    /// Ends a lane, but not before what it has told.
    pub(super) fn end(&mut self, lane: usize, at: u64) {
        let at = at.max(self.open[lane].seen);
        self.lanes[lane].end = at;
        let over = Open {
            seen: at,
            is_over: true,
            ..Open::default()
        };
        let open = std::mem::replace(&mut self.open[lane], over);
        let spans = open.tasks.into_iter().chain(open.join);
        for span in spans.chain(open.locks.into_iter().map(|(_, span)| span)) {
            self.close(lane, Some(span), at);
        }
    }

    fn finish(mut self) -> Timeline {
        let arrows = self.all_arrows();
        for lane in &mut self.lanes {
            lane.spans
                .sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
            lane.marks.sort_by_key(|mark| mark.at);
        }
        let end = self.last - self.zero;
        Timeline {
            parts: parts(self.parts, end),
            lanes: self.lanes,
            arrows,
            is_cut: self.is_cut,
        }
    }
}

/// Cuts the run into the parts that the lesson has named; what comes before the first has no title.
fn parts(mut begun: Vec<(u64, String)>, end: u64) -> Vec<Part> {
    begun.sort();
    begun.insert(0, (0, String::new()));
    let ends: Vec<u64> = begun
        .iter()
        .skip(1)
        .map(|(start, _)| *start)
        .chain([end])
        .collect();
    let parts = begun.into_iter().zip(ends);
    let parts = parts.map(|((start, title), end)| Part { title, start, end });
    let mut parts: Vec<Part> = parts.filter(|part| part.end > part.start).collect();
    // A part holds what happens before its end; the last one also what happens last of all.
    if let Some(last) = parts.last_mut() {
        last.end += 1;
    }
    parts
}

/// What is the crate's own business is not shown: the loop of a pool's worker, and locks that nobody has made by name.
fn is_shown(event: &Event, made: &HashMap<String, String>) -> bool {
    match event.what.as_str() {
        "task begins" | "task ends" => !event.text("function").starts_with("multiprocess::"),
        "made" | "thread seen" => false,
        what if what.starts_with("lock ") => made.contains_key(event.text("lock")),
        _ => true,
    }
}

fn span(kind: Kind, start: u64, label: String) -> Span {
    Span {
        kind,
        start,
        end: start,
        label,
    }
}

/// `doubled`, or `doubled, input 3` in a pool.
fn task_label(event: &Event) -> String {
    let name = event
        .text("function")
        .rsplit("::")
        .next()
        .unwrap_or_default();
    match (event.number("first"), event.number("count")) {
        (Some(first), Some(1)) => format!("{name}, input {first}"),
        (Some(first), Some(count)) => format!("{name}, inputs {first} to {}", first + count - 1),
        _ => name.to_owned(),
    }
}

/// `a Queue of core::option::Option<u64>` is a Queue for who looks at lanes.
fn known_as(what: &str) -> String {
    let kind = ["Queue", "channel", "pipe", "Array"]
        .iter()
        .find(|kind| what.contains(*kind));
    match kind {
        Some(kind) => format!("a {kind}"),
        None => what.to_owned(),
    }
}

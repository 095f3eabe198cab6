//! What a recording shows: lanes, with spans and marks on them, and arrows between them.

use std::ops::RangeInclusive;
use std::time::Duration;

/// All that is drawn. Times are nanoseconds.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) parts: Vec<Part>,
    /// Whether a process recorded only its first events.
    pub(crate) is_cut: bool,
}

/// A thread or a process.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) pid: u64,
    /// The same as the pid for the thread in which the process began.
    pub(crate) thread: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// In the order in which they began.
    pub(crate) items: Vec<Item>,
}

/// A span that takes time, or a mark of what happens at a moment.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    /// The same as the start for a mark.
    pub(crate) end: u64,
    /// What is run, held or waited for, put, got or noted, or why it ended.
    pub(crate) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Task,
    Wait,
    Hold,
    Note,
    Put,
    Got,
    Terminated,
    Failed,
}

/// What the kinds mean, in their order.
pub(crate) const MEANINGS: [&str; 8] = [
    "runs a function",
    "waits",
    "holds a lock",
    "notes what it does",
    "puts",
    "gets",
    "is ended by its pool",
    "is killed or fails",
];

impl Kind {
    /// The kinds of spans, in the order in which one covers the other.
    pub(crate) const SPANS: [Kind; 3] = [Kind::Task, Kind::Wait, Kind::Hold];
    pub(crate) const MARKS: RangeInclusive<Kind> = Kind::Note..=Kind::Failed;
}

/// What happened in one lane before something in another, and because of it: lanes with their moments.
#[derive(Debug)]
pub(crate) struct Arrow {
    /// `started`, `ended`, `message`, or `lock handed over`.
    pub(crate) cause: &'static str,
    pub(crate) from: (usize, u64),
    pub(crate) to: (usize, u64),
}

/// A stretch of the run that has a title, or no title before the first that has one.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Part {
    pub(crate) fn length(&self) -> u64 {
        self.end - self.start
    }

    /// Returns how far after the start a moment is, as a multiple of `length`.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    pub(crate) fn place(&self, at: u64, length: u64) -> f64 {
        (at.clamp(self.start, self.end) - self.start) as f64 / length as f64
    }

    /// Returns whether any of a lane is in the part.
    pub(crate) fn shows(&self, lane: &Lane) -> bool {
        lane.start < self.end && lane.end > self.start
    }

    /// Returns what of a lane is in the part, of a kind in that range.
    pub(crate) fn items<'a>(
        &'a self,
        lane: &'a Lane,
        kinds: RangeInclusive<Kind>,
    ) -> impl Iterator<Item = &'a Item> {
        let items = lane.items.iter();
        let items = items.filter(move |item| kinds.contains(&item.kind));
        items.filter(|item| item.start < self.end && item.end >= self.start)
    }
}

/// Returns a time with its unit.
pub(crate) fn time(nanoseconds: u64) -> String {
    support::readable_time(Duration::from_nanos(nanoseconds))
}

//! The model of a timeline: lanes, with spans and marks on them, and arrows between them.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Everything that is drawn. Times are in nanoseconds.
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
    /// The thread id; for the main thread it's the pid.
    pub(crate) thread: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// In order of their starts.
    pub(crate) items: Vec<Item>,
}

/// A span, or a mark at one moment.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    /// For a mark, the same as the start.
    pub(crate) end: u64,
    /// The function, lock or queue, the text of a note, or the reason of the end.
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

/// The legend for each kind, in the same order.
pub(crate) const MEANINGS: [&str; 8] = [
    "runs a function",
    "waits",
    "holds a lock",
    "notes what it does",
    "puts",
    "gets",
    "is terminated by its pool",
    "is killed or fails",
];

impl Kind {
    /// The kinds of spans; later ones are drawn over earlier ones.
    pub(crate) const SPANS: [Kind; 3] = [Kind::Task, Kind::Wait, Kind::Hold];
    pub(crate) const MARKS: RangeInclusive<Kind> = Kind::Note..=Kind::Failed;
}

/// A cause in one lane and its effect in another, each as a lane and a time.
#[derive(Debug)]
pub(crate) struct Arrow {
    /// `started`, `ended`, `message`, or `lock handed over`.
    pub(crate) cause: &'static str,
    pub(crate) from: (usize, u64),
    pub(crate) to: (usize, u64),
}

/// A part of the run. What comes before the first title is a part without one.
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

    /// Returns the time from the start to `at`, as a fraction of `length`.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    pub(crate) fn place(&self, at: u64, length: u64) -> f64 {
        (at.clamp(self.start, self.end) - self.start) as f64 / length as f64
    }

    /// Returns whether a lane overlaps the part.
    pub(crate) fn shows(&self, lane: &Lane) -> bool {
        lane.start < self.end && lane.end > self.start
    }

    /// Returns the items of a lane that overlap the part and are of these kinds.
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

//! What a recording shows: lanes, with spans and marks on them, and arrows between them.

use std::time::Duration;

/// All that is drawn. Times are nanoseconds from the beginning.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) parts: Vec<Part>,
    /// Whether a process recorded only its first events.
    pub(crate) is_cut: bool,
}

impl Timeline {
    /// Returns the parts of a run that show something: not a beginning in which nothing happens.
    pub(crate) fn shown_parts(&self) -> impl Iterator<Item = &Part> {
        let is_one = self.parts.len() == 1;
        let shows = move |lane: &Lane, part: &Part| {
            is_one || !part.title.is_empty() || !lane.is_idle_in(part)
        };
        let parts = self.parts.iter();
        parts.filter(move |part| self.lanes_in(part).any(|(_, lane)| shows(lane, part)))
    }

    /// Returns the lanes that have something to show in a part, with their numbers.
    pub(crate) fn lanes_in(&self, part: &Part) -> impl Iterator<Item = (usize, &Lane)> {
        let lanes = self.lanes.iter().enumerate();
        lanes.filter(|(_, lane)| lane.start < part.end && lane.end > part.start)
    }
}

/// A thread or a process.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) process: u64,
    pub(crate) thread: u64,
    /// Whether it is the thread in which its process began.
    pub(crate) is_main: bool,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) spans: Vec<Span>,
    pub(crate) marks: Vec<Mark>,
}

impl Lane {
    fn is_idle_in(&self, part: &Part) -> bool {
        let (mut spans, mut marks) = (self.spans.iter(), self.marks.iter());
        !spans.any(|span| part.touches(span.start, span.end))
            && !marks.any(|mark| part.touches(mark.at, mark.at))
    }
}

/// Something that takes time.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) kind: Kind,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// What is run, held or waited for.
    pub(crate) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Runs a function.
    Task,
    /// Waits for a lock, a message, or the end of a process.
    Wait,
    Hold,
}

impl Kind {
    /// In the order in which one covers the other.
    pub(crate) const ALL: [Kind; 3] = [Kind::Task, Kind::Wait, Kind::Hold];

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Kind::Task => "runs a function",
            Kind::Wait => "waits",
            Kind::Hold => "holds a lock",
        }
    }
}

/// Something that happens at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) sign: Sign,
    pub(crate) at: u64,
    pub(crate) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// Noted by the lesson itself.
    Note,
    Put,
    Got,
    /// Ended by its pool, which needs it no longer.
    Terminated,
    /// Ended by a signal, or with an exit status other than 0.
    Failed,
}

impl Sign {
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Sign::Note => "notes what it does",
            Sign::Put => "puts",
            Sign::Got => "gets",
            Sign::Terminated => "is ended by its pool",
            Sign::Failed => "is killed or fails",
        }
    }
}

/// What happened in one lane before something in another, and because of it: lanes with their moments.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) cause: Cause,
    pub(crate) from: (usize, u64),
    pub(crate) to: (usize, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Started,
    Ended,
    /// A message was put, and then got.
    Message,
    /// A lock was released, and then taken by the lane that waited for it.
    Lock,
}

/// A stretch of the run that has a title, or no title before the first that has one.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Part {
    /// Returns its title as a heading.
    pub(crate) fn heading(&self) -> &str {
        self.title.trim_end_matches(':')
    }

    pub(crate) fn length(&self) -> u64 {
        self.end - self.start
    }

    /// Returns how far after the start a moment is, as a multiple of `length`.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    pub(crate) fn place(&self, at: u64, length: u64) -> f64 {
        (at.clamp(self.start, self.end) - self.start) as f64 / length as f64
    }

    /// Returns whether any of it is in the part.
    pub(crate) fn touches(&self, start: u64, end: u64) -> bool {
        start < self.end && end >= self.start
    }
}

/// Returns a time with its unit.
pub(crate) fn time(nanoseconds: u64) -> String {
    support::readable_time(Duration::from_nanos(nanoseconds))
}

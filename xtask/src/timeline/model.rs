//! What a recording shows: lanes, with spans and marks on them, and arrows between them.

/// All that is drawn. Times are nanoseconds from the beginning.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) parts: Vec<Part>,
    /// Whether a process has recorded no further than its room went.
    pub(crate) is_cut: bool,
}

impl Timeline {
    /// The parts of a run, without a beginning in which only the first process is there.
    pub(super) fn shown_parts(&self) -> impl Iterator<Item = &Part> {
        let has_more = self.parts.len() > 1;
        self.parts.iter().filter(move |part| {
            let mut lanes = self.lanes_in(part);
            !(has_more
                && part.title.is_empty()
                && lanes.all(|(_, lane)| lane.is_main && lane.is_idle_in(part)))
        })
    }

    /// The lanes that have something to show in a part, with their numbers.
    pub(super) fn lanes_in(&self, part: &Part) -> impl Iterator<Item = (usize, &Lane)> {
        let lanes = self.lanes.iter().enumerate();
        lanes.filter(|(_, lane)| lane.is_in(part))
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

/// Something that takes time.
#[derive(Clone, Debug, PartialEq)]
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
    /// Holds a lock.
    Hold,
}

/// Something that happens at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) sign: Sign,
    pub(crate) at: u64,
    pub(crate) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// Told by the lesson itself.
    Note,
    Put,
    Got,
    /// Ended by a signal, or with an exit status other than 0.
    Death,
}

/// What happened in one lane before what happened in another, and because of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrow {
    pub(crate) kind: Because,
    pub(crate) from: (usize, u64),
    pub(crate) to: (usize, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    Started,
    Joined,
    /// A message was put, and then got.
    Message,
    /// A lock was released, and then got by who waited for it.
    Lock,
}

/// A stretch of the run that the lesson has given a title.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Part {
    /// Its title as it stands in a heading.
    pub(super) fn heading(&self) -> &str {
        self.title.trim_end_matches(':')
    }

    pub(crate) fn length(&self) -> u64 {
        (self.end - self.start).max(1)
    }

    /// Where in the part a moment lies, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    pub(crate) fn place(&self, at: u64) -> f64 {
        let at = at.clamp(self.start, self.end);
        (at - self.start) as f64 / self.length() as f64
    }

    /// Whether anything of it lies in the part.
    pub(crate) fn touches(&self, start: u64, end: u64) -> bool {
        start < self.end && end >= self.start
    }
}

impl Lane {
    /// Whether the lane has something to show in the part: it was there for more than its last moment.
    pub(crate) fn is_in(&self, part: &Part) -> bool {
        self.start < part.end && self.end > part.start
    }

    /// Whether nothing happens in it then but that it is there.
    pub(crate) fn is_idle_in(&self, part: &Part) -> bool {
        let marks = self.marks.iter();
        let mut spans = self.spans.iter();
        !spans.any(|span| part.touches(span.start, span.end))
            && !marks.clone().any(|mark| part.touches(mark.at, mark.at + 1))
    }
}

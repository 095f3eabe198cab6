//! How long to wait for something.

use std::time::{Duration, Instant};

use rustix::time::Timespec;

/// How long a `try_` operation waits for another that is running, which takes much less, unless it was stopped or
/// preempted.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitUntil {
    /// Not at all.
    Try,
    /// Until the deadline; without one, as long as it takes.
    Until(Option<Instant>),
    /// The limit given by the caller of a public function, and the deadline that follows from it.
    Within(Duration, Instant),
}

impl WaitUntil {
    pub(crate) fn within(limit: Duration) -> WaitUntil {
        match Instant::now().checked_add(limit) {
            Some(end) => WaitUntil::Within(limit, end),
            // A limit that the clock can't express is no limit.
            None => WaitUntil::Until(None),
        }
    }

    /// Returns until when to wait for another operation of the same kind: `Try` waits for a [`MOMENT`].
    pub(crate) fn for_a_turn(self) -> WaitUntil {
        match self {
            WaitUntil::Try => WaitUntil::Until(Some(Instant::now() + MOMENT)),
            _ => self,
        }
    }

    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            WaitUntil::Try => Some(Instant::now()),
            WaitUntil::Until(deadline) => deadline,
            WaitUntil::Within(_, end) => Some(end),
        }
    }

    pub(crate) fn is_over(self) -> bool {
        self.rest(Duration::MAX).is_zero()
    }

    /// Returns how much of `most` is left before the deadline.
    pub(crate) fn rest(self, most: Duration) -> Duration {
        let until = |end: Instant| most.min(end.saturating_duration_since(Instant::now()));
        match self {
            WaitUntil::Try => Duration::ZERO,
            _ => self.deadline().map_or(most, until),
        }
    }

    /// Returns the rest as the system takes it, up to a day; `None` without a deadline.
    pub(super) fn timespec(self) -> Option<Timespec> {
        let rest = self.deadline().map(|_| self.rest(Duration::from_hours(24)));
        rest.map(|rest| Timespec::try_from(rest).expect("a day can be expressed"))
    }
}

pub(crate) fn is_over(deadline: Option<Instant>) -> bool {
    WaitUntil::Until(deadline).is_over()
}

/// Pauses between one check and the next, which grow from 20 microseconds to 2 milliseconds.
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) fn new() -> Pauses {
        Pauses(Duration::from_micros(20))
    }

    /// Sleeps until the next check; returns false after the deadline.
    pub(crate) fn sleep(&mut self, limit: WaitUntil) -> bool {
        let rest = limit.rest(self.0);
        std::thread::sleep(rest);
        self.0 = (self.0 * 2).min(Duration::from_millis(2));
        !rest.is_zero()
    }
}

//! How long an operation may wait.

use std::time::{Duration, Instant};

use crate::platform::file_lock::MOMENT;

/// How long an operation may wait, as its caller gave it.
#[derive(Clone, Copy)]
pub(crate) enum Timeout {
    None,
    Try,
    For(Duration),
}

impl Timeout {
    pub(crate) fn wait_until(self) -> WaitUntil {
        match self {
            Timeout::None => WaitUntil::Until(None),
            Timeout::Try => WaitUntil::Try,
            // A limit beyond what the clock can express is no limit.
            Timeout::For(limit) => WaitUntil::Until(Instant::now().checked_add(limit)),
        }
    }
}

/// How long to wait, as a point in time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitUntil {
    /// Not at all.
    Try,
    /// Until the deadline; without one, as long as it takes.
    Until(Option<Instant>),
}

impl WaitUntil {
    /// Until when to wait for another that does the same at this moment: `Try` waits for a [`MOMENT`].
    pub(crate) fn for_a_turn(self) -> Option<Instant> {
        match self {
            WaitUntil::Try => Some(Instant::now() + MOMENT),
            WaitUntil::Until(deadline) => deadline,
        }
    }

    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            WaitUntil::Try => Some(Instant::now()),
            WaitUntil::Until(deadline) => deadline,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        match self {
            WaitUntil::Try => true,
            WaitUntil::Until(deadline) => is_over(deadline),
        }
    }
}

/// Returns whether a deadline has passed.
pub(crate) fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

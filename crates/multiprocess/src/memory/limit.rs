//! How long an operation may wait.

use std::time::{Duration, Instant};

use crate::platform::file_lock::MOMENT;

/// How long an operation may wait, as its caller said it.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    None,
    Try,
    For(Duration),
}

impl Limit {
    pub(crate) fn patience(self) -> Patience {
        match self {
            Limit::None => Patience::Until(None),
            Limit::Try => Patience::Try,
            // A limit beyond what the clock can express is no limit.
            Limit::For(limit) => Patience::Until(Instant::now().checked_add(limit)),
        }
    }
}

/// How long to wait for what is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Not at all.
    Try,
    /// Until then; without a time, as long as it takes.
    Until(Option<Instant>),
}

impl Patience {
    /// Until when to wait for others who are just doing the same thing: who only tries waits for a [`MOMENT`].
    pub(crate) fn for_a_turn(self) -> Option<Instant> {
        match self {
            Patience::Try => Some(Instant::now() + MOMENT),
            Patience::Until(deadline) => deadline,
        }
    }

    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            Patience::Try => Some(Instant::now()),
            Patience::Until(deadline) => deadline,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        match self {
            Patience::Try => true,
            Patience::Until(deadline) => {
                deadline.is_some_and(|deadline| Instant::now() >= deadline)
            }
        }
    }
}

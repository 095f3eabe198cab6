//! How long an operation may wait, as its caller gave it.

use std::time::{Duration, Instant};

pub(crate) use crate::platform::wait_until::WaitUntil;

#[derive(Clone, Copy)]
pub(crate) enum Timeout {
    None,
    Try,
    For(Duration),
}

impl Timeout {
    #[inline]
    pub(crate) fn wait_until(self) -> WaitUntil {
        match self {
            Timeout::None => WaitUntil::Until(None),
            Timeout::Try => WaitUntil::Try,
            // A limit beyond what the clock can express is no limit.
            Timeout::For(limit) => WaitUntil::Until(Instant::now().checked_add(limit)),
        }
    }
}

/// Returns whether a deadline has passed.
pub(crate) fn is_over(deadline: Option<Instant>) -> bool {
    WaitUntil::Until(deadline).is_over()
}

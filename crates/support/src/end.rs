use std::fmt;

/// Why a race ended before all its actions had happened.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// All actors that have actions left wait for locks: a deadlock.
    Stuck,
    /// The given schedule has fewer letters than there are actions.
    TooShort,
    /// The schedule or the answer is not possible: this is what is wrong with it.
    Refused(String),
    /// Standard input or output is closed.
    Closed,
    Failed(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Stuck => "all actors wait for locks",
            End::TooShort => "the schedule is too short",
            End::Refused(why) | End::Failed(why) => why,
            End::Closed => "standard input or output is closed",
        })
    }
}

impl std::error::Error for End {}

/// The race has ended early: it is stuck, or it has failed. The actor must return.
#[derive(Clone, Copy, Debug)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the race has ended early")
    }
}

impl std::error::Error for Stopped {}

//! What can be found on a machine.

/// A program that was asked for its version.
#[derive(Debug, PartialEq)]
pub(super) enum Tool {
    Says(String),
    /// Why nothing is known of it.
    Missing(String),
}

/// A Python that was asked for its version.
#[derive(Debug, PartialEq)]
pub(super) enum Python {
    Here {
        version: String,
        start_method: String,
    },
    Missing(String),
}

/// A folder to write into.
#[derive(Debug, PartialEq)]
pub(super) enum Room {
    Bytes {
        free: u64,
        total: u64,
    },
    /// Why nothing can be written there.
    Unusable(String),
    NotHere,
}

/// How many of something there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    AtMost(u64),
    None,
    Unknown,
}

impl Limit {
    /// Gives the limit that is reached first.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Limit::AtMost(one), Limit::AtMost(two)) => Limit::AtMost(one.min(two)),
            (limit @ Limit::AtMost(_), _) | (_, limit @ Limit::AtMost(_)) => limit,
            (Limit::Unknown, Limit::Unknown) => Limit::Unknown,
            _ => Limit::None,
        }
    }
}

/// The packages of `Cargo.lock`.
#[derive(Debug, PartialEq)]
pub(super) enum Packages {
    AllHere(usize),
    /// What Cargo says about the first that is not.
    SomeMissing(String),
    /// Why Cargo cannot tell.
    Unclear(String),
}

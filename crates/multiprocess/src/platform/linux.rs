//! What only Linux offers.

pub(super) mod anonymous_file;
pub(super) mod capacity;
pub(super) mod futex;
pub(crate) mod inherited;
pub(super) mod pidfd;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod robust_mutex;

/// Whether this is what Linux offers.
pub(crate) const IS_LINUX: bool = true;

//! What only Linux offers.

pub(super) mod capacity;
pub(crate) mod futex;
pub(crate) mod inherited;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod robust_mutex;

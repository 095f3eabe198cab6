//! Instead of a robust mutex: other systems have none, and a segment's lock is a
//! [`FileLock`](crate::platform::file_lock::FileLock) there. Nothing calls this one.

use std::io::ErrorKind;
use std::time::Instant;

use crate::platform::file_lock::Refused;

/// The place of a mutex in shared memory, with nothing in it.
#[repr(transparent)]
pub(crate) struct RobustMutex(u64);

impl RobustMutex {
    #[allow(clippy::unused_self, reason = "as the mutex of Linux")]
    pub(crate) fn lock(&self) -> Result<(), Refused> {
        Err(Refused::System(ErrorKind::Unsupported.into()))
    }

    pub(crate) fn try_lock(&self) -> Result<(), Refused> {
        self.lock()
    }

    pub(crate) fn lock_until(&self, _deadline: Instant) -> Result<(), Refused> {
        self.lock()
    }

    #[allow(clippy::unused_self, reason = "as the mutex of Linux")]
    pub(crate) fn unlock(&self) {}
}

//! A stub for the robust mutex: other systems have none, and a slot's lock is a
//! [`FileLock`](crate::platform::file_lock::FileLock) there.

use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;

/// An empty place for a mutex in shared memory.
#[repr(transparent)]
pub(crate) struct RobustMutex(u64);

#[allow(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "as the mutex of Linux"
)]
impl RobustMutex {
    pub(crate) fn init(&self) -> std::io::Result<()> {
        Ok(())
    }

    pub(crate) fn lock(&self, _limit: WaitUntil) -> Result<(), Refused> {
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into())
    }

    pub(crate) fn unlock(&self) {}
}

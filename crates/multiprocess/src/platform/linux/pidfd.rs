//! A descriptor of a process: it becomes readable when the process ends, and never means another one.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::platform::signal::Signal;

/// Returns a descriptor of a process that was not yet waited for; `None` where a sandbox or an old kernel has none.
pub(crate) fn open(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Sends a signal to the process, which may have ended meanwhile; `None` where that is not possible.
pub(crate) fn send_signal(pidfd: &OwnedFd, signal: Signal) -> Option<io::Result<()>> {
    let signal = if signal == Signal::KILL {
        rustix::process::Signal::KILL
    } else {
        rustix::process::Signal::TERM
    };
    match pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(Errno::SRCH) => Some(Ok(())),
        // A sandbox may allow the one call and not the other.
        Err(Errno::NOSYS | Errno::PERM) => None,
        Err(error) => Some(Err(error.into())),
    }
}

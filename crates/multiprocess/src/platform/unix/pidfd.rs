//! Instead of a descriptor of a process: other systems have none.

use std::io;
use std::os::fd::OwnedFd;

use crate::platform::signal::Signal;

pub(crate) fn open(_pid: u32) -> Option<OwnedFd> {
    None
}

pub(crate) fn send_signal(_pidfd: &OwnedFd, _signal: Signal) -> Option<io::Result<()>> {
    None
}

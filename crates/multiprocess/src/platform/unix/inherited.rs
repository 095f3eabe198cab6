//! Instead of closing what a child inherits: other systems don't say whose a descriptor is, so it stays.

use std::os::fd::RawFd;

pub(crate) fn close(_socket: RawFd) {}

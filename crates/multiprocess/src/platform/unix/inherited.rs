//! The portable version of `linux/inherited.rs`: other systems don't show where a descriptor comes from, so it stays
//! open.

use std::os::fd::RawFd;

pub(crate) fn close(_socket: RawFd) {}

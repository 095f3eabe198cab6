//! Processes and threads, by portable calls.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, test_kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::platform::signal::Signal;

/// Returns the time of the system's monotonic clock, in nanoseconds.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock counts from the start of the system.
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

pub(crate) fn pid_of(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Returns whether no process has the pid, not even one that has ended and was not yet waited for.
pub(crate) fn is_free(pid: u32) -> bool {
    pid_of(pid).is_none_or(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

pub(crate) fn name(_pid: u32) -> Option<String> {
    None
}

/// Returns a number that no other thread of this process has.
pub(crate) fn thread_id() -> i32 {
    static LAST: AtomicI32 = AtomicI32::new(0);
    thread_local! {
        static OWN: i32 = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    }
    OWN.with(|own| *own)
}

pub(crate) fn set_name(_name: &str) {}

pub(crate) fn end_with(_parent: u32) -> bool {
    true
}

pub(crate) fn open_pidfd(_pid: u32) -> Option<OwnedFd> {
    None
}

pub(crate) fn send_signal(_pidfd: &OwnedFd, _signal: Signal) -> Option<io::Result<()>> {
    None
}

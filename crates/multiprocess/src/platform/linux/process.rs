//! Processes and threads, by Linux's own calls.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{self, PidfdFlags, Signal};

use crate::platform::unix::process::pid_of;
use crate::platform::{is_portable, signal};

pub(crate) use crate::platform::unix::process::{is_free, now};

pub(crate) fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Returns the number of this thread; that of the main thread is the process id.
pub(crate) fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

pub(crate) fn set_name(name: &str) {
    // The kernel keeps 15 bytes; as `ps` shows them, control characters are question marks.
    let short = name[..name.floor_char_boundary(15)].replace(char::is_control, "?");
    if let Ok(short) = std::ffi::CString::new(short) {
        let _ = rustix::thread::set_name(&short);
    }
}

/// Makes the system kill this process when its parent, or the parent's thread that started it, ends; false if that has
/// happened. Unlike a thread that watches the parent, this also ends a process that is stopped.
pub(crate) fn end_with(parent: u32) -> bool {
    // If the system refuses, there is still the thread that watches the parent.
    let _ = process::set_parent_process_death_signal(Some(Signal::KILL));
    // Checked afterwards: an earlier death sends no signal.
    let parent = pid_of(parent);
    // In a new PID namespace, the parent has no pid.
    process::getppid().is_none_or(|found| Some(found) == parent)
}

/// Returns a descriptor of a process that was not yet waited for, which becomes readable when the process ends, and
/// never refers to another one; `None` in a sandbox or with an old kernel without this call.
pub(crate) fn open_pidfd(pid: u32) -> Option<OwnedFd> {
    let pid = pid_of(pid).filter(|_| !is_portable())?;
    process::pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Sends a signal to the process, which may have ended meanwhile; `None` if that isn't possible.
pub(crate) fn send_signal(pidfd: &OwnedFd, signal: signal::Signal) -> Option<io::Result<()>> {
    match process::pidfd_send_signal(pidfd, Signal::from_named_raw(signal.0)?) {
        Ok(()) | Err(Errno::SRCH) => Some(Ok(())),
        // A sandbox may allow the one call and not the other.
        Err(Errno::NOSYS | Errno::PERM) => None,
        Err(error) => Some(Err(error.into())),
    }
}

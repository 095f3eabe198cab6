//! Waiting for the end of a process that this process started, with or without a limit.
//!
//! On Linux a `pidfd` says it: a descriptor that becomes readable when the process ends. Elsewhere, and
//! where `MULTIPROCESS_PORTABLE=1` is set, the line to the child says it: its other end closes when the
//! process ends, and shortly afterwards its exit status is there.

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::platform::signal::Signal;

/// Something to poll that says when a process has ended.
#[derive(Debug)]
pub(crate) enum ExitWatch {
    #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
    Pidfd(OwnedFd),
    /// A second descriptor of the line to the child.
    Line(UnixStream),
}

impl ExitWatch {
    /// Watches a process that was started but not yet waited for, so that its pid is surely its own.
    pub(crate) fn new(pid: u32, line: &UnixStream) -> std::io::Result<ExitWatch> {
        #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
        if !crate::platform::is_forced()
            && let Some(pid) = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
            && let Ok(pidfd) =
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
        {
            return Ok(ExitWatch::Pidfd(pidfd));
        }
        let _ = pid;
        Ok(ExitWatch::Line(line.try_clone()?))
    }

    /// What to poll for.
    pub(crate) fn poll_fd(&self) -> PollFd<'_> {
        match self {
            #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
            ExitWatch::Pidfd(pidfd) => PollFd::new(pidfd, PollFlags::IN),
            ExitWatch::Line(line) => hang_up(line),
        }
    }

    /// Sends a signal to this very process, even if something else reaped it and its pid has a new owner; `None` where
    /// only the pid can say whom a signal is for.
    pub(crate) fn signal(&self, signal: Signal) -> Option<std::io::Result<()>> {
        match self {
            #[cfg(all(target_os = "linux", not(multiprocess_twins)))]
            ExitWatch::Pidfd(pidfd) => {
                let signal = if signal == Signal::KILL {
                    rustix::process::Signal::KILL
                } else {
                    rustix::process::Signal::TERM
                };
                match rustix::process::pidfd_send_signal(pidfd, signal) {
                    // It has ended meanwhile.
                    Ok(()) | Err(Errno::SRCH) => Some(Ok(())),
                    // A sandbox may allow the one call and not the other.
                    Err(Errno::NOSYS | Errno::PERM) => None,
                    Err(error) => Some(Err(error.into())),
                }
            }
            ExitWatch::Line(_) => {
                let _ = signal;
                None
            }
        }
    }

    /// Waits until the process has ended or the deadline has passed; true if it has ended.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        wait_for(&mut [self.poll_fd()], deadline)
    }
}

/// Polls until one of the descriptors is ready or the deadline has passed; true if one is ready.
pub(crate) fn wait_for(descriptors: &mut [PollFd<'_>], deadline: Option<Instant>) -> bool {
    loop {
        let limit =
            deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
        match poll(descriptors, limit.as_ref()) {
            Ok(0) => {
                // A limit that poll cannot express is waited for in parts.
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return false;
                }
            }
            Ok(_) => return true,
            Err(Errno::INTR) => {}
            // Out of kernel memory: nothing to do but to look again a little later.
            Err(_) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => return false,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn timespec(limit: Duration) -> Timespec {
    const LONGEST: Duration = Duration::from_hours(24);
    Timespec::try_from(limit.min(LONGEST)).expect("a day can be expressed")
}

/// Waits until the other end of a line is closed; data that arrives is left alone.
pub(crate) fn wait_for_hang_up(line: &UnixStream) {
    wait_for(&mut [hang_up(line)], None);
}

/// Polls for nothing but the closing of the other end, which is always reported.
fn hang_up(line: &UnixStream) -> PollFd<'_> {
    PollFd::new(line, PollFlags::empty())
}

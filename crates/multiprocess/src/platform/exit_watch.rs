//! Waiting for the end of a child: its `pidfd` becomes readable. Without one, the child's end of the control socket
//! closes, and the exit status is available shortly afterwards.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::platform::process;
use crate::platform::signal::Signal;
use crate::platform::wait_until::WaitUntil;

#[derive(Debug)]
pub(crate) enum ExitWatch {
    Pidfd(OwnedFd),
    Socket(UnixStream),
}

impl ExitWatch {
    /// Watches a process that was started but not yet waited for, so that its pid is still its own.
    pub(crate) fn new(pid: u32, socket: &UnixStream) -> std::io::Result<ExitWatch> {
        match process::open_pidfd(pid) {
            Some(pidfd) => Ok(ExitWatch::Pidfd(pidfd)),
            None => socket.try_clone().map(ExitWatch::Socket),
        }
    }

    pub(crate) fn poll_fd(&self) -> PollFd<'_> {
        match self {
            ExitWatch::Pidfd(pidfd) => PollFd::new(pidfd, PollFlags::IN),
            ExitWatch::Socket(socket) => hang_up(socket),
        }
    }

    /// Sends a signal to this process only, even if something else reaped it and its pid was reused; `None` if a signal
    /// can be sent only to a pid.
    pub(crate) fn signal(&self, signal: Signal) -> Option<std::io::Result<()>> {
        match self {
            ExitWatch::Pidfd(pidfd) => process::send_signal(pidfd, signal),
            ExitWatch::Socket(_) => None,
        }
    }

    /// Returns whether the process ended before the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        wait_for(&mut [self.poll_fd()], deadline)
    }
}

/// Polls until one of the descriptors is ready or the deadline has passed; returns whether one is ready.
pub(crate) fn wait_for(descriptors: &mut [PollFd<'_>], deadline: Option<Instant>) -> bool {
    let limit = WaitUntil::Until(deadline);
    loop {
        match poll(descriptors, limit.timespec().as_ref()) {
            Ok(1..) => return true,
            Err(Errno::INTR) => {}
            _ if limit.is_over() => return false,
            // A limit that poll can't express takes several calls.
            Ok(_) => {}
            // Out of kernel memory: try again a little later.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Returns whether the other end of a socket is closed.
pub(crate) fn has_hung_up(socket: &UnixStream) -> bool {
    let mut watched = [hang_up(socket)];
    wait_for(&mut watched, WaitUntil::Try.deadline())
        && watched[0].revents().contains(PollFlags::HUP)
}

/// Polls for nothing but the closing of the other end, which is always reported; does not read data that arrives.
pub(crate) fn hang_up(socket: &UnixStream) -> PollFd<'_> {
    PollFd::new(socket, PollFlags::empty())
}

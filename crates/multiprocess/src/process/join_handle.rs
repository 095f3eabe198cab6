//! The handle to a process: its end, and its result.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::channel::select::{Source, Waitable, sealed};
use crate::errors::error::{Error, Result};
use crate::errors::quoted::Name;
use crate::platform::signal::Signal;
use crate::process::children::Child;
use crate::process::reaper;
use crate::trace::events::event;
use crate::transfer::envelope::Envelope;

/// The handle to a process: waits for it, returns its result, and can end it.
///
/// Python: `Process` after `start()`; but [`join`](JoinHandle::join) returns the function's result.
///
/// Dropping the handle detaches the process: it keeps running, is reaped when it ends, and its result is lost. At its
/// own end, this process still waits for it, unless it is a daemon.
#[must_use = "dropping the handle detaches the process, and its result is lost"]
pub struct JoinHandle<R> {
    pub(crate) child: Arc<Child>,
    /// Deserialises the result.
    pub(super) read: fn(Envelope) -> std::result::Result<R, String>,
}

impl<R> JoinHandle<R> {
    /// Returns the name of the process.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.child.info.name
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.info.pid
    }

    /// Returns whether the process is a daemon.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.child.info.daemon
    }

    /// Returns whether the process is still running. Python: `Process.is_alive()`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.child.try_reap(), Ok(false))
    }

    /// Returns how the process ended; `None` while it runs, and if that is unknown ([`Error::EndUnknown`]).
    ///
    /// Python: `Process.exitcode`, which is -9 where this has the signal 9. The exit code is 0 if the function
    /// returned, 101 if it panicked, and 1 if it returned an error, or its result could not be sent.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    /// Asks the process to end, by SIGTERM, and doesn't wait for that. Does nothing if it has ended.
    ///
    /// Python: `Process.terminate()`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Ends the process at once, by SIGKILL, and doesn't wait for that. Does nothing if it has ended.
    ///
    /// Python: `Process.kill()`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.child.signal(signal)?;
        // Possibly no thread checks later whether it has ended, and its memory has to be freed.
        reaper::assist(&self.child);
        Ok(())
    }

    /// Waits for the process to end and returns what its function returned.
    ///
    /// Python: `Process.join()`, which returns nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if the function returned an error; [`Error::Panicked`], [`Error::Exited`], [`Error::Killed`],
    /// [`Error::NeverStarted`] or [`Error::EndUnknown`] if it did not return; [`Error::Encode`] or [`Error::Decode`] if
    /// its result could not be sent or read; [`Error::AlreadyJoined`] if [`join_timeout`](JoinHandle::join_timeout) has
    /// already returned the result.
    pub fn join(self) -> Result<R> {
        self.wait(None)?;
        self.answer()
    }

    /// Waits at most `limit` for the process to end, and returns what its function returned.
    ///
    /// After a timeout, you can call it again. Python: `Process.join(seconds)`, after which you have to check
    /// `is_alive()`.
    ///
    /// # Errors
    ///
    /// As [`join`](JoinHandle::join), and [`Error::Timeout`] if the process is still running.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use multiprocess::{spawn, task};
    ///
    /// fn nap(milliseconds: u64) {
    ///     std::thread::sleep(Duration::from_millis(milliseconds));
    /// }
    ///
    /// fn main() -> Result<(), multiprocess::Error> {
    ///     multiprocess::init([task(nap)]);
    ///     let mut sleeper = spawn(nap, (60_000,))?;
    ///     let early = sleeper.join_timeout(Duration::from_millis(10)).unwrap_err();
    ///     assert!(early.is_timeout());
    ///     assert!(sleeper.is_alive());
    ///     sleeper.kill()
    /// }
    /// ```
    pub fn join_timeout(&mut self, limit: Duration) -> Result<R> {
        // A limit that the clock can't express is no limit.
        let deadline = Instant::now().checked_add(limit);
        if self.wait(deadline)? {
            self.answer()
        } else {
            let event = format!("process '{}' to end", Name(self.name()));
            Err(Error::timeout(event, limit))
        }
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        event!(DEBUG, pid = self.child.info.pid, "join awaited");
        let ended = self.child.wait(deadline);
        event!(DEBUG, pid = self.child.info.pid, "joined");
        ended
    }

    fn answer(&self) -> Result<R> {
        let answer = self.child.take_answer()?;
        (self.read)(answer).map_err(|reason| self.child.unreadable_answer(reason))
    }
}

impl<R> Waitable for JoinHandle<R> {}

impl<R> sealed::Sealed for JoinHandle<R> {
    #[allow(private_interfaces, reason = "as declared")]
    fn source(&self) -> &dyn Source {
        // The reaper wakes the waiting threads; without it, they check every 50 ms.
        reaper::assist(&self.child);
        &*self.child
    }
}

impl<R> std::fmt::Debug for JoinHandle<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinHandle")
            .field("process", &self.child.info)
            .field("exit_status", &self.exit_status())
            .finish_non_exhaustive()
    }
}

impl<R> Drop for JoinHandle<R> {
    fn drop(&mut self) {
        if self.is_alive() {
            reaper::adopt(&self.child, None);
        } else {
            // The reaper may keep the child for a moment longer.
            self.child.discard_answer();
        }
    }
}

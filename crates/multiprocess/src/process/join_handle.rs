//! The handle to a process: its end, and its answer.

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

/// The handle to a process: wait for it, take its answer, end it.
///
/// Python: `Process` after `start()`; but [`join`](JoinHandle::join) returns what the function returned.
///
/// Dropping the handle detaches the process: it goes on, is reaped when it ends, and its answer is lost. At the end of
/// this process it is waited for all the same, unless it is a daemon.
#[must_use = "dropping the handle detaches the process, and its answer is lost"]
pub struct JoinHandle<R> {
    pub(crate) child: Arc<Child>,
    /// Reads the answer.
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

    /// Returns how the process ended; `None` while it runs, and where that can't be known ([`Error::EndUnknown`]).
    ///
    /// Python: `Process.exitcode`, which is -9 where this has the signal 9. A function that returned gives
    /// code 0, one that panicked 101, one that returned an error, or whose answer could not be sent, 1.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    /// Asks the process to end, with SIGTERM, unless it has; it is not waited for. Python: `Process.terminate()`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Ends the process at once, with SIGKILL, unless it has ended; it is not waited for. Python: `Process.kill()`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the signal cannot be sent.
    pub fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        self.child.signal(signal)?;
        // No thread may ask again whether it lives, and it leaves its memory.
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
    /// [`Error::NeverStarted`] or [`Error::EndUnknown`] if it did not return; [`Error::Encode`] or [`Error::Decode`] if its value could not travel;
    /// [`Error::AlreadyJoined`] if [`join_timeout`](JoinHandle::join_timeout) gave the answer before.
    pub fn join(self) -> Result<R> {
        self.wait(None)?;
        self.answer()
    }

    /// Waits for the process to end, but not longer than `limit`.
    ///
    /// It can be called again. Python: `Process.join(limit)`, after which `is_alive()` has to be asked.
    ///
    /// # Errors
    ///
    /// As [`join`](JoinHandle::join), and [`Error::Timeout`] if the process runs on.
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
        // A limit beyond what the clock can express is no limit.
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
        // The reaper wakes those that wait; without it they check every 50 ms.
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
            // The reaper may still have the child for a moment.
            self.child.discard_answer();
        }
    }
}

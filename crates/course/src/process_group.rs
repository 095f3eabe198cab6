use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// The groups that are running, or nothing once [`end_all`] has ended them.
static RUNNING: Mutex<Option<Vec<Pid>>> = Mutex::new(Some(Vec::new()));

/// Ends every program that was started here, with its processes; from now on none can be started.
pub fn end_all() {
    running().take().into_iter().flatten().for_each(kill);
}

/// A program together with the processes that it starts: they end together. It is a process group of
/// its own, which Ctrl-C in the terminal doesn't reach: what watches for interruptions passes that on.
pub(crate) struct ProcessGroup {
    pub(crate) child: Child,
    status: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts a program as the first of a new group.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0);
        // Locked across the start, so that `end_all` misses no program.
        let mut running = running();
        let Some(groups) = running.as_mut() else {
            return Err(io::Error::other("this program is about to end"));
        };
        let child = command.spawn()?;
        groups.push(Pid::from_child(&child));
        let status = None;
        Ok(Self { child, status })
    }

    /// Returns whether the program has ended; processes that it started may still be running.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(Pid::from_child(&self.child));
        Ok(waitid(id, options)?.is_some())
    }

    /// Ends whatever of the group is still running, and returns the program's exit status.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let id = Pid::from_child(&self.child);
        // The program has not been waited for, so its pid cannot be another program's.
        let mut running = running();
        kill(id);
        let groups = running.iter_mut();
        groups.for_each(|groups| groups.retain(|other| *other != id));
        drop(running);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // A `drop` cannot report an error.
        let _ = self.end();
    }
}

fn kill(group: Pid) {
    // An error means that the group has ended.
    let _ = kill_process_group(group, Signal::KILL);
}

fn running() -> MutexGuard<'static, Option<Vec<Pid>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

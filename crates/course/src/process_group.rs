use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::interruption;

/// How often a program is looked at that is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// The groups that are running now, for whoever must end them all at once.
static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    ids: Vec::new(),
    closed: false,
});

struct Groups {
    ids: Vec<u32>,
    /// No group is started any more: this program is about to end.
    closed: bool,
}

/// A program together with the processes that it starts: they end together.
///
/// On Unix it is a process group of its own, so Ctrl-C in the terminal does not reach it: the watch
/// for interruptions, which the first start begins, passes that on. Elsewhere only the program
/// itself is ended.
pub struct ProcessGroup {
    child: Child,
    status: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts a program as the first of a new group.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        interruption::watch()?;
        platform::separate(command);
        // Locked across the start: an interruption must not come between it and our knowing of it.
        let mut groups = groups();
        if groups.closed {
            return Err(io::Error::other("the playing has ended"));
        }
        let child = command.spawn()?;
        groups.ids.push(child.id());
        Ok(Self {
            child,
            status: None,
        })
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Tells whether the program has ended; processes that it started may still be there.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        if self.status.is_some() {
            return Ok(true);
        }
        platform::has_ended(&mut self.child)
    }

    /// Waits until the program ends by itself, ends what it leaves behind, and gives its exit
    /// status.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        while !self.has_ended()? {
            thread::sleep(LOOK);
        }
        self.end()
    }

    /// Ends whatever of the group is still running, and gives the program's exit status.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let mut groups = groups();
        // The program has not been waited for, so its number cannot have gone to a stranger.
        platform::kill(&mut self.child);
        let status = self.child.wait()?;
        groups.ids.retain(|id| *id != self.child.id());
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // Nobody is left to be told of an error here.
        let _ = self.end();
    }
}

/// Ends every group that is running, and lets none be started any more.
pub fn end_all() {
    let mut groups = groups();
    groups.closed = true;
    for id in &groups.ids {
        platform::kill_group(*id);
    }
}

/// Lets every running group pause.
#[cfg(unix)]
pub fn suspend_all() {
    groups().ids.iter().copied().for_each(platform::suspend);
}

/// Lets every group go on that [`suspend_all`] has paused.
#[cfg(unix)]
pub fn resume_all() {
    groups().ids.iter().copied().for_each(platform::resume);
}

fn groups() -> MutexGuard<'static, Groups> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(pid) = pid(child.id()) else {
            return Ok(true);
        };
        Ok(waitid(WaitId::Pid(pid), options)?.is_some())
    }

    pub(super) fn kill(child: &mut Child) {
        kill_group(child.id());
    }

    pub(super) fn kill_group(id: u32) {
        send(id, Signal::KILL);
    }

    pub(super) fn suspend(id: u32) {
        send(id, Signal::STOP);
    }

    pub(super) fn resume(id: u32) {
        send(id, Signal::CONT);
    }

    fn send(id: u32, signal: Signal) {
        if let Some(pid) = pid(id) {
            // An error means that there is no such group any more.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::process::{Child, Command};

    pub(super) fn separate(_: &mut Command) {}

    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        Ok(child.try_wait()?.is_some())
    }

    pub(super) fn kill(child: &mut Child) {
        // An error means that it has ended already.
        let _ = child.kill();
    }

    pub(super) fn kill_group(_: u32) {}
}

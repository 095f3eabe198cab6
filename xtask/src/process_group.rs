use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The group that is running now, for whoever must end it when this program is interrupted.
static RUNNING: Mutex<Option<u32>> = Mutex::new(None);

/// A program together with the processes that it starts: they end together.
///
/// On Unix it is a process group of its own, so Ctrl-C in the terminal does not reach it:
/// [`end_on_interruption`] passes that on. Elsewhere only the program itself is ended.
pub(crate) struct ProcessGroup {
    child: Child,
    status: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts a program as the first of a new group. Only one group runs at a time.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        platform::separate(command);
        // Locked across the start: an interruption must not come between it and our knowing of it.
        let mut running = running();
        let child = command.spawn()?;
        *running = Some(child.id());
        Ok(Self {
            child,
            status: None,
        })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Tells whether the program has ended; processes that it started may still be there.
    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        if self.status.is_some() {
            return Ok(true);
        }
        platform::has_ended(&mut self.child)
    }

    /// Ends whatever of the group is still running, and gives the program's exit status.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let mut running = running();
        // The program has not been waited for, so its number cannot have gone to a stranger.
        platform::kill(&mut self.child);
        let status = self.child.wait()?;
        *running = None;
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

fn running() -> MutexGuard<'static, Option<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) use platform::end_on_interruption;

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};
    use std::thread;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    /// Ends the running group when this program is interrupted, and then this program.
    pub(crate) fn end_on_interruption() -> io::Result<()> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        thread::spawn(move || {
            for signal in signals.forever() {
                let running = super::running();
                if let Some(id) = *running {
                    kill_group(id);
                }
                // Still locked, so nothing new is started before this ends the program.
                let _ = emulate_default_handler(signal);
            }
        });
        Ok(())
    }

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

    fn kill_group(id: u32) {
        if let Some(pid) = pid(id) {
            // An error means that there is no such group any more.
            let _ = kill_process_group(pid, Signal::KILL);
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

    /// Does nothing: an interruption reaches every process of the console by itself.
    pub(crate) fn end_on_interruption() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn separate(_: &mut Command) {}

    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        Ok(child.try_wait()?.is_some())
    }

    pub(super) fn kill(child: &mut Child) {
        // An error means that it has ended already.
        let _ = child.kill();
    }
}

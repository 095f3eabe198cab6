use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

/// The groups that are running; `None` once [`end_all`] has ended them.
static RUNNING: Mutex<Option<Vec<Pid>>> = Mutex::new(Some(Vec::new()));

/// Kills every program that was started here, with its processes. After that, no program can be started.
pub fn end_all() {
    running().take().into_iter().flatten().for_each(kill);
}

/// Waits until no program is being started. A program that doesn't have its own group yet is stopped by
/// Ctrl-Z with this one, which would block the thread that starts it: so this continues it.
pub(crate) fn finish_starting() {
    for _ in 0..1000 {
        let Err(TryLockError::WouldBlock) = RUNNING.try_lock() else {
            return;
        };
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children"));
            let children = children.unwrap_or_default();
            let pids = children.split_whitespace().map(|pid| pid.parse().ok());
            for child in pids.filter_map(|pid| Pid::from_raw(pid?)) {
                // An error means that the process has ended.
                let _ = kill_process(child, Signal::CONT);
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A program together with the processes that it starts: they end together. They form their own process
/// group, which Ctrl-C in the terminal doesn't reach: the handler of interruptions ends it.
pub(crate) struct ProcessGroup {
    pub(crate) child: Child,
    status: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts a program as the leader of a new group.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0);
        // Locked during the start, so that `end_all` doesn't miss this program.
        let mut running = running();
        let Some(groups) = running.as_mut() else {
            return Err(io::Error::other("this program is ending"));
        };
        let child = command.spawn()?;
        groups.push(Pid::from_child(&child));
        let status = None;
        Ok(Self { child, status })
    }

    /// Returns whether the program has ended. Processes that it started may still be running.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        if self.status.is_some() {
            return Ok(true);
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let id = WaitId::Pid(Pid::from_child(&self.child));
        Ok(waitid(id, options)?.is_some())
    }

    /// Kills the processes of the group that are still running, and returns the program's exit status.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let id = Pid::from_child(&self.child);
        // The program hasn't been reaped, so its pid can't have been reused.
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
        // `drop` can't report an error.
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

//! Processes as the operating system shows them: `/proc`.

use std::{fmt, fs};

/// A process that was seen running; never confused with a later one that has the same id.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) pid: u32,
    started: String,
}

impl Known {
    /// Returns the process that has this id now.
    pub(crate) fn of(pid: u32) -> Known {
        let started = stat(pid).expect("the process is there").started;
        Known { pid, started }
    }

    /// Returns the process that another one has seen, and printed as `PID STARTED`.
    pub(crate) fn parse(shown: &str) -> Option<Known> {
        let (pid, started) = shown.split_once(' ')?;
        Some(Known {
            pid: pid.parse().ok()?,
            started: started.to_owned(),
        })
    }

    /// Returns whether it is still running: neither gone nor a zombie.
    pub(crate) fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|stat| {
            // A process whose first thread has ended is a zombie, too, while other threads of it still end.
            let has_ended = stat.state == 'Z' && stat.threads <= 1;
            stat.started == self.started && !has_ended && !matches!(stat.state, 'X' | 'x')
        })
    }

    /// Returns whether it has ended and was not waited for.
    pub(crate) fn is_zombie(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state == 'Z')
    }

    /// Returns whether it waits for something at this moment.
    pub(crate) fn is_sleeping(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state == 'S')
    }

    /// Returns whether a signal has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state == 'T')
    }

    /// Waits until all of these, which have names, have ended.
    pub(crate) fn end(all: &[(String, Known)]) {
        for (name, process) in all {
            super::until(&format!("{name} ends"), || !process.is_running());
        }
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&self) {
        if self.is_running() {
            kill(self.pid);
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.started)
    }
}

struct Stat {
    state: char,
    parent: u32,
    threads: u32,
    started: String,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything, even parentheses.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
    })
}

/// Sends SIGKILL.
pub(crate) fn kill(pid: u32) {
    send(pid, rustix::process::Signal::KILL);
}

/// Sends a signal.
pub(crate) fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().expect("a pid is small"));
    let _ = rustix::process::kill_process(pid.expect("a pid is not 0"), signal);
}

/// Returns the children of a process, including zombies.
pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc can be read");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| stat(pid).is_some_and(|stat| stat.parent == parent))
        .collect()
}

/// Returns the children of this process, including zombies.
pub(crate) fn children() -> Vec<u32> {
    children_of(std::process::id())
}

/// Returns the number and target of each descriptor that this process has open.
pub(crate) fn descriptors() -> Vec<(u32, String)> {
    let folder = format!("/proc/{}/fd", std::process::id());
    let entries = fs::read_dir(&folder).expect("/proc can be read");
    let mut open: Vec<(u32, String)> = entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            Some((number, target.to_string_lossy().into_owned()))
        })
        // The folder that is being read is open too.
        .filter(|(_, target)| *target != folder)
        .collect();
    open.sort();
    open
}

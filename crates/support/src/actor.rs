use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use multiprocess::serde::{Deserialize, Serialize};
use multiprocess::{Connection, Error, pipe};

use crate::end::{End, Stopped};
use crate::schedule::{Schedule, shown};
use crate::shared::Shared;

/// An actor of a race that is a process of its own. [`Schedule::actor`] returns it; pass it to the process.
///
/// The process performs each of its actions through [`turn`](Actor::turn), or [`lock_turn`](Actor::lock_turn) if
/// the action takes a lock, as a thread does with a [`Schedule`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "multiprocess::serde")]
pub struct Actor {
    parent: Connection<Report, Request>,
}

/// What a process tells the schedule.
#[derive(Serialize, Deserialize)]
#[serde(crate = "multiprocess::serde")]
enum Report {
    /// It has reached its next action, this line.
    Reached(String),
    /// Whether it could run that line.
    Ready(bool),
    /// It has run the line, which returned this text. `None` if it didn't get the lock.
    Done(Option<String>),
}

/// What the schedule tells a process.
#[derive(Serialize, Deserialize)]
#[serde(crate = "multiprocess::serde")]
enum Request {
    /// Say whether you could run the line.
    Check,
    Run,
}

impl Actor {
    /// Does what [`Schedule::turn`] does.
    ///
    /// # Errors
    ///
    /// As [`Schedule::turn`], and if the main process has ended.
    pub fn turn<R: Debug>(&self, line: &str, action: impl FnOnce() -> R) -> Result<R, Stopped> {
        self.wait_for_turn(line, || true)?;
        let result = action();
        self.report(Report::Done(Some(shown(&result))))?;
        Ok(result)
    }

    /// Does what [`Schedule::lock_turn`] does.
    ///
    /// # Errors
    ///
    /// As [`turn`](Actor::turn).
    pub fn lock_turn<G>(
        &self,
        line: &str,
        mut try_lock: impl FnMut() -> Option<G>,
    ) -> Result<G, Stopped> {
        self.wait_for_turn(line, || try_lock().is_some())?;
        let guard = try_lock();
        self.report(Report::Done(guard.is_some().then(String::new)))?;
        guard.ok_or(Stopped)
    }

    fn wait_for_turn(&self, line: &str, mut is_ready: impl FnMut() -> bool) -> Result<(), Stopped> {
        self.report(Report::Reached(line.to_owned()))?;
        while let Request::Check = self.parent.recv().map_err(|_| Stopped)? {
            self.report(Report::Ready(is_ready()))?;
        }
        Ok(())
    }

    fn report(&self, report: Report) -> Result<(), Stopped> {
        self.parent.send(report).map_err(|_| Stopped)
    }
}

impl Schedule {
    /// Returns an actor for a process.
    ///
    /// # Errors
    ///
    /// If there is no shared memory for the pipe that connects the process with this one.
    pub fn actor(&self, actor: char) -> anyhow::Result<Actor> {
        let (process, parent) = pipe().context("cannot connect an actor")?;
        let shared = Arc::clone(&self.shared);
        let server = thread::spawn(move || serve(&shared, actor, &process));
        self.shared.progress().servers.push(server);
        Ok(Actor { parent })
    }
}

/// Waits for the turns of a process, and lets it act, until the process or the race ends.
fn serve(shared: &Shared, actor: char, process: &Connection<Request, Report>) {
    let failed = |error| match error {
        Error::Closed { .. } => format!("process {actor} has ended"),
        error => format!("process {actor}: {error}"),
    };
    let receive = || process.recv_timeout(shared.timeout).map_err(failed);
    let ask = |request| match process.send(request) {
        Ok(()) => receive(),
        Err(error) => Err(failed(error.into())),
    };
    let acted = |line: &str| {
        let is_ready = || Ok(matches!(ask(Request::Check)?, Report::Ready(true)));
        let turn = shared.wait_for_turn(actor, line, is_ready)?;
        turn.act(|| match ask(Request::Run)? {
            Report::Done(Some(shown)) => Ok(((), shown)),
            _ => Err(format!("`{line}` did not take the lock, which was free")),
        })
    };
    let why = loop {
        match receive() {
            Ok(Report::Reached(line)) if acted(&line).is_ok() => {}
            Ok(_) => return,
            Err(why) => break why,
        }
    };
    let mut progress = shared.progress();
    if progress.has_actions_left(actor) {
        shared.end(&mut progress, End::Failed(why));
    }
}

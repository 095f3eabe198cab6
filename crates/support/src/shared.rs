use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::chooser::Chooser;
use crate::end::{End, Stopped};
use crate::progress::Progress;

/// The longest pause before an action in a free run.
const MAX_PAUSE: Duration = Duration::from_micros(20);

/// What the actors of a race share.
pub(crate) struct Shared {
    progress: Mutex<Progress>,
    changed: Condvar,
    is_free: bool,
    pub(crate) timeout: Duration,
}

impl Shared {
    pub(crate) fn new(turns: &str, chooser: Chooser, timeout: Duration) -> Shared {
        Shared {
            is_free: matches!(chooser, Chooser::Free),
            progress: Mutex::new(Progress::new(turns, chooser)),
            changed: Condvar::new(),
            timeout,
        }
    }

    /// Waits until `actor` runs next. `is_ready` returns whether it could run `line`; no action runs meanwhile.
    pub(crate) fn wait_for_turn<'a>(
        &'a self,
        actor: char,
        line: &'a str,
        mut is_ready: impl FnMut() -> Result<bool, String>,
    ) -> Result<Turn<'a>, Stopped> {
        if self.is_free {
            self.start_together(actor);
            pause();
        }
        let mut progress = self.progress();
        if !progress.has_actions_left(actor) {
            let why = format!("{actor} has more actions than the race allows");
            self.end(&mut progress, End::Failed(why));
        }
        while progress.end.is_none() {
            let next = progress.next;
            match progress.may_act(actor, line, &mut is_ready) {
                Ok(true) => {
                    progress.begin(actor);
                    // Without the lock, so that the others can time out if the action never ends.
                    drop(progress);
                    return Ok(Turn {
                        shared: self,
                        actor,
                        line,
                        is_complete: false,
                    });
                }
                Ok(false) if progress.next == next => progress = self.wait(progress),
                Ok(false) => self.changed.notify_all(),
                Err(end) => self.end(&mut progress, end),
            }
        }
        Err(Stopped)
    }

    /// Waits before an actor's first action until all actors have reached theirs.
    fn start_together(&self, actor: char) {
        let mut progress = self.progress();
        while progress.end.is_none() && !progress.all_started(actor) {
            progress = self.wait(progress);
        }
    }

    /// Waits for a change, and ends the race if there is none for too long.
    fn wait<'a>(&'a self, mut progress: MutexGuard<'a, Progress>) -> MutexGuard<'a, Progress> {
        let left = self.timeout.saturating_sub(progress.changed.elapsed());
        if left.is_zero() {
            let why = progress.overdue(self.timeout);
            self.end(&mut progress, End::Failed(why));
            return progress;
        }
        if self.is_free {
            // Spins: a thread that sleeps would start late.
            drop(progress);
            thread::yield_now();
            return self.progress();
        }
        let waited = self.changed.wait_timeout(progress, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the race early, unless it has ended already.
    pub(crate) fn end(&self, progress: &mut Progress, end: End) {
        progress.end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Ignores poisoning: the progress changes after the action, so a panic can't leave it half changed.
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An action that may run now. If it never completes, because it panics, the race ends.
pub(crate) struct Turn<'a> {
    shared: &'a Shared,
    actor: char,
    line: &'a str,
    is_complete: bool,
}

impl Turn<'_> {
    /// Performs the action, which returns a result and its text, or an error that ends the race.
    pub(crate) fn act<R>(
        mut self,
        action: impl FnOnce() -> Result<(R, String), String>,
    ) -> Result<R, Stopped> {
        let result = action();
        self.is_complete = true;
        let mut progress = self.shared.progress();
        let result = match result {
            Ok((result, shown)) => {
                progress.complete(self.actor, self.line, &shown);
                Ok(result)
            }
            Err(why) => {
                progress.give_up(why);
                Err(Stopped)
            }
        };
        self.shared.changed.notify_all();
        result
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_complete {
            let (actor, line) = (self.actor, self.line);
            let why = format!("{actor} panicked in `{line}`");
            self.shared.progress().give_up(why);
            self.shared.changed.notify_all();
        }
    }
}

/// Pauses for a random time, and yields to other threads, in case there is only one core.
fn pause() {
    let length = MAX_PAUSE.mul_f64(fastrand::f64());
    let start = Instant::now();
    while start.elapsed() < length {
        thread::yield_now();
    }
}

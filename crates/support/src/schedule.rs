#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Display};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::chooser::Chooser;
use crate::end::{End, Stopped};
use crate::shared::Shared;

/// How long an action may take, and how long an actor may take to reach its next one.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The order in which the actors of a race run: one letter for each action, which names the actor that
/// runs next.
///
/// The actors are threads or processes. A thread performs each of its actions through
/// [`turn`](Schedule::turn), or [`lock_turn`](Schedule::lock_turn) if the action takes a lock. A process does
/// the same with an [`Actor`](crate::Actor).
///
/// Only one action runs at a time, as if it were a single instruction of the processor, and it is recorded
/// before the next one begins. An actor can be preempted between two of its actions: there the others may
/// run. An action must not wait for another actor.
///
/// Who runs next is decided when all actors that have actions left have reached their next one: by a given
/// schedule, or by a person. An actor that needs a lock that is taken can't be chosen. If all of them do, the
/// race is stuck, in a deadlock. A *free* schedule decides nothing: all actors run, and it records the order.
///
/// # Examples
///
/// Two threads change a number, each by reading it and writing it back:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
/// use std::thread;
/// use support::{Race, Schedule, Stopped};
///
/// fn add(total: &AtomicI64, schedule: &Schedule, actor: char) -> Result<(), Stopped> {
///     let seen = schedule.turn(actor, "let seen = total.load();", || total.load(Relaxed))?;
///     schedule.turn(actor, "total.store(seen + 1);", || total.store(seen + 1, Relaxed))
/// }
///
/// fn one_each(schedule: &Schedule) -> anyhow::Result<String> {
///     let total = Arc::new(AtomicI64::new(0));
///     let shown = Arc::clone(&total);
///     schedule.value("total", move || shown.load(Relaxed));
///     thread::scope(|scope| {
///         scope.spawn(|| add(&total, schedule, 'A'));
///         scope.spawn(|| add(&total, schedule, 'B'));
///     });
///     Ok(format!("1 + 1 make {}", total.load(Relaxed)))
/// }
///
/// fn main() -> anyhow::Result<()> {
///     let race = Race {
///         step: "race",
///         turns: "AABB",
///         goal: "Lose an update.",
///         run: one_each,
///         cure: None,
///     };
///     assert_eq!(race.replay("AABB")?, "1 + 1 make 2");
///     assert_eq!(race.replay("ABBA")?, "1 + 1 make 1");
///     Ok(())
/// }
/// ```
pub struct Schedule {
    pub(crate) shared: Arc<Shared>,
}

impl Schedule {
    /// Returns a schedule of a race with these `turns`.
    pub(crate) fn new(turns: &str, chooser: Chooser) -> Schedule {
        Schedule::with_timeout(turns, chooser, TIMEOUT)
    }

    fn with_timeout(turns: &str, chooser: Chooser, timeout: Duration) -> Schedule {
        let shared = Shared::new(turns, chooser, timeout);
        Schedule {
            shared: Arc::new(shared),
        }
    }

    /// Waits until `actor` runs next, performs the action, and returns its result. `line` is its source, as
    /// the class sees it.
    ///
    /// With a free schedule, each actor waits before its first action until all actors have reached
    /// theirs, so that none has finished before the others start. Then it pauses before each action for a
    /// random time of up to 20 µs.
    ///
    /// # Errors
    ///
    /// If the race has ended early; [`Race::replay`](crate::Race::replay) says why. It also ends if an actor
    /// has more actions than the race allows, or takes more than 5 seconds.
    pub fn turn<R: Debug>(
        &self,
        actor: char,
        line: &str,
        action: impl FnOnce() -> R,
    ) -> Result<R, Stopped> {
        let turn = self.shared.wait_for_turn(actor, line, || Ok(true))?;
        turn.act(|| {
            let result = action();
            let shown = shown(&result);
            Ok((result, shown))
        })
    }

    /// Waits until `actor` runs next, takes a lock, and returns its guard.
    ///
    /// `try_lock` returns `None` if the lock is taken. Before each decision who runs next, the schedule calls
    /// it and drops the guard at once, to find out whether the actor could run. No other actor runs meanwhile.
    ///
    /// To release the lock is an action too: `turn(actor, "drop(guard);", || drop(guard))`.
    ///
    /// # Errors
    ///
    /// As [`turn`](Schedule::turn). If all actors that have actions left wait for locks, the race is stuck.
    pub fn lock_turn<G>(
        &self,
        actor: char,
        line: &str,
        mut try_lock: impl FnMut() -> Option<G>,
    ) -> Result<G, Stopped> {
        let is_free = || Ok(try_lock().is_some());
        let turn = self.shared.wait_for_turn(actor, line, is_free)?;
        turn.act(|| match try_lock() {
            Some(guard) => Ok((guard, String::new())),
            None => Err(format!("`{line}` did not take the lock, which was free")),
        })
    }

    /// Shows a value that the actors share to a person who chooses who runs next.
    pub fn value<T: Display>(&self, name: &str, value: impl Fn() -> T + Send + 'static) {
        let text = move || value().to_string();
        self.shared
            .progress()
            .add_value(name.to_owned(), Box::new(text));
    }

    /// Returns the letters of the actions that have happened, and why the race ended early, if it did. If its
    /// function has failed, its actors must end.
    pub(crate) fn finish(&self, failure: Option<String>) -> (String, Option<End>) {
        let mut progress = self.shared.progress();
        if let Some(why) = failure {
            self.shared.end(&mut progress, End::Failed(why));
        }
        let servers = mem::take(&mut progress.servers);
        drop(progress);
        for server in servers {
            // It panics only if the text of a shared value does: that has been printed to standard error.
            let _ = server.join();
        }
        let progress = self.shared.progress();
        (progress.taken.clone(), progress.end.clone())
    }
}

impl Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = &self.shared.progress().taken;
        f.debug_struct("Schedule")
            .field("taken", taken)
            .finish_non_exhaustive()
    }
}

/// Returns what an action returned, as the class sees it; nothing for `()`.
pub(crate) fn shown(result: &impl Debug) -> String {
    let text = format!("{result:?}");
    if text == "()" { String::new() } else { text }
}

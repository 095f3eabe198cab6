use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an actor waits until it runs next.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest pause before an action in a free run.
const MAX_PAUSE: Duration = Duration::from_micros(20);

/// The order in which the actors of a race run: one letter for each action, which names the actor that
/// runs next.
///
/// The actors are threads or processes, and perform each of their actions through
/// [`turn`](Schedule::turn). There are two kinds of schedules. With a given schedule, each actor waits
/// until the next letter is its own. A free schedule lets all of them run, and records the order.
///
/// With both, only one action runs at a time, as if it were a single instruction of the processor, and it
/// is recorded before the next one begins. So [`taken`](Schedule::taken) returns the order in which the
/// actions really happened. An actor can be preempted between two of its actions: there the others may
/// run.
///
/// While an action runs, all other actors wait, so an action must not wait for another actor.
///
/// # Examples
///
/// Two threads change a number, each by reading it and writing it back:
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
/// use std::thread;
/// use support::{Race, Schedule};
///
/// fn add(total: &AtomicI64, schedule: &Schedule, actor: char) {
///     let seen = schedule.turn(actor, || total.load(Relaxed));
///     schedule.turn(actor, || total.store(seen + 1, Relaxed));
/// }
///
/// fn one_each(schedule: &Schedule) -> anyhow::Result<String> {
///     let total = AtomicI64::new(0);
///     thread::scope(|scope| {
///         scope.spawn(|| add(&total, schedule, 'A'));
///         scope.spawn(|| add(&total, schedule, 'B'));
///     });
///     Ok(format!("1 + 1 make {}", total.into_inner()))
/// }
///
/// fn main() -> anyhow::Result<()> {
///     let race = Race { step: "race", turns: "AABB", run: one_each };
///     assert_eq!(race.replay("AABB")?, "1 + 1 make 2");
///     assert_eq!(race.replay("ABBA")?, "1 + 1 make 1");
///     Ok(())
/// }
/// ```
pub struct Schedule {
    /// The letters of a given schedule; `None` if it is free.
    given: Option<Vec<char>>,
    /// The number of actions of each actor.
    counts: BTreeMap<char, usize>,
    progress: Mutex<Progress>,
    changed: Condvar,
    timeout: Duration,
}

#[derive(Default)]
struct Progress {
    /// The actors that have reached their first action.
    started: BTreeSet<char>,
    taken: String,
    /// Whether an action is running.
    acting: bool,
}

impl Schedule {
    /// Returns a schedule with this order.
    pub(crate) fn given(turns: &str) -> Schedule {
        Schedule {
            given: Some(turns.chars().collect()),
            ..Schedule::free(turns)
        }
    }

    /// Returns a schedule that allows any order of these letters.
    pub(crate) fn free(turns: &str) -> Schedule {
        Schedule {
            given: None,
            counts: count(turns),
            progress: Mutex::default(),
            changed: Condvar::new(),
            timeout: TIMEOUT,
        }
    }

    /// Waits until `actor` runs next, performs the action, and returns its result.
    ///
    /// With a free schedule, each actor waits before its first action until all actors have reached
    /// theirs, so that none has finished before the others start. Then it pauses before each action for a
    /// random time of up to 20 µs.
    ///
    /// # Panics
    ///
    /// If the actor has to wait for more than 5 seconds, or has more actions than the race allows.
    pub fn turn<R>(&self, actor: char, action: impl FnOnce() -> R) -> R {
        let mut progress = if let Some(turns) = &self.given {
            self.wait_until_next(actor, turns)
        } else {
            self.start_together(actor);
            pause();
            self.spin_until_idle(actor)
        };
        let before = progress.taken.chars().filter(|&taken| taken == actor);
        let (before, all) = (before.count(), self.counts.get(&actor).copied());
        assert!(
            Some(before) < all,
            "{actor} has more actions than the race allows"
        );
        progress.acting = true;
        // Without the lock, so that the others can time out if the action never ends.
        drop(progress);
        let acting = Acting(self);
        let result = action();
        self.progress().taken.push(actor);
        drop(acting);
        result
    }

    /// Returns the letters of the actions that have happened so far, in order.
    #[must_use]
    pub fn taken(&self) -> String {
        self.progress().taken.clone()
    }

    /// Waits before an actor's first action until all actors have reached theirs.
    fn start_together(&self, actor: char) {
        if !self.progress().started.insert(actor) {
            return;
        }
        // Spins: a thread that sleeps would start late.
        let start = Instant::now();
        while self.progress().started.len() < self.counts.len() {
            assert!(
                start.elapsed() < self.timeout,
                "{actor} timed out waiting for the other actors to start"
            );
            thread::yield_now();
        }
    }

    /// Spins until no action is running.
    fn spin_until_idle(&self, actor: char) -> MutexGuard<'_, Progress> {
        let start = Instant::now();
        loop {
            let progress = self.progress();
            if !progress.acting {
                return progress;
            }
            drop(progress);
            assert!(
                start.elapsed() < self.timeout,
                "{actor} timed out waiting for the action of another actor"
            );
            thread::yield_now();
        }
    }

    /// Sleeps until `actor` runs next in the order `turns`.
    fn wait_until_next(&self, actor: char, turns: &[char]) -> MutexGuard<'_, Progress> {
        let must_wait = |progress: &mut Progress| {
            let next = turns.get(progress.taken.chars().count());
            progress.acting || next != Some(&actor)
        };
        let (progress, wait) = self
            .changed
            .wait_timeout_while(self.progress(), self.timeout, must_wait)
            .unwrap_or_else(PoisonError::into_inner);
        let taken = &progress.taken;
        assert!(
            !wait.timed_out(),
            "{actor} timed out waiting for its turn; the actions so far are `{taken}`"
        );
        progress
    }

    /// Ignores poisoning: the progress changes after the action, so a panic can't leave it half changed.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Exists while an action runs; its drop lets the others continue, even after a panic.
struct Acting<'a>(&'a Schedule);

impl Drop for Acting<'_> {
    fn drop(&mut self) {
        self.0.progress().acting = false;
        self.0.changed.notify_all();
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("given", &self.given)
            .field("taken", &self.taken())
            .finish_non_exhaustive()
    }
}

/// Counts the actions of each actor.
pub(crate) fn count(turns: &str) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for actor in turns.chars() {
        *counts.entry(actor).or_default() += 1;
    }
    counts
}

/// Pauses for a random time, and yields to other threads, in case there is only one core.
fn pause() {
    let length = MAX_PAUSE.mul_f64(fastrand::f64());
    let start = Instant::now();
    while start.elapsed() < length {
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn actions_happen_in_the_given_order() {
        let schedule = Schedule::given("BABA");
        let done = std::sync::Mutex::new(String::new());
        thread::scope(|scope| {
            for actor in ['A', 'B'] {
                let (schedule, done) = (&schedule, &done);
                scope.spawn(move || {
                    for _ in 0..2 {
                        schedule.turn(actor, || done.lock().unwrap().push(actor));
                    }
                });
            }
        });
        assert_eq!(done.into_inner().unwrap(), "BABA");
        assert_eq!(schedule.taken(), "BABA");
    }

    #[test]
    fn a_free_schedule_records_the_order_of_the_actions() {
        for _ in 0..200 {
            let schedule = Schedule::free("AAABBB");
            let done = std::sync::Mutex::new(String::new());
            thread::scope(|scope| {
                for actor in ['A', 'B'] {
                    let (schedule, done) = (&schedule, &done);
                    scope.spawn(move || {
                        for _ in 0..3 {
                            schedule.turn(actor, || done.lock().unwrap().push(actor));
                        }
                    });
                }
            });
            assert_eq!(done.into_inner().unwrap(), schedule.taken());
        }
    }

    #[test]
    fn waiting_for_an_actor_that_never_runs_times_out() {
        for mut schedule in [Schedule::given("BA"), Schedule::free("AB")] {
            schedule.timeout = Duration::from_millis(50);
            let start = Instant::now();
            let waiting = thread::scope(|scope| {
                let alone = scope.spawn(|| schedule.turn('A', || ()));
                alone.join()
            });
            let panic = waiting.unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            assert!(message.contains('A'), "{message}");
            assert!(start.elapsed() < Duration::from_secs(5));
            assert_eq!(schedule.taken(), "");
        }
    }

    #[test]
    fn an_action_that_panics_does_not_count_and_can_be_repeated() {
        let schedule = Schedule::given("AB");
        let panicked = thread::scope(|scope| {
            let actor = scope.spawn(|| schedule.turn('A', || panic!("on purpose")));
            actor.join().is_err()
        });
        assert!(panicked);
        assert_eq!(schedule.taken(), "");
        schedule.turn('A', || ());
        schedule.turn('B', || ());
        assert_eq!(schedule.taken(), "AB");
    }

    #[test]
    fn waiting_for_an_action_that_never_ends_times_out() {
        for mut schedule in [Schedule::given("AB"), Schedule::free("AB")] {
            schedule.timeout = Duration::from_secs(2);
            let (schedule, timed_out) = (&schedule, &AtomicBool::new(false));
            // The actor that runs first acts until the other one has timed out.
            let until_timeout = || {
                let start = Instant::now();
                while !timed_out.load(Relaxed) && start.elapsed() < Duration::from_mins(1) {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            let race = |actor| {
                let acted = panic::catch_unwind(AssertUnwindSafe(|| {
                    schedule.turn(actor, until_timeout);
                }));
                timed_out.store(true, Relaxed);
                acted.is_ok()
            };
            let acted = thread::scope(|scope| {
                let actors = ['A', 'B'].map(|actor| scope.spawn(move || race(actor)));
                actors.map(|actor| actor.join().unwrap())
            });
            assert_eq!(acted.iter().filter(|&&acted| acted).count(), 1);
            assert_eq!(schedule.taken().len(), 1);
        }
    }

    #[test]
    fn a_letter_may_be_longer_than_a_byte() {
        let schedule = Schedule::given("ÄBÄ");
        for actor in ['Ä', 'B', 'Ä'] {
            schedule.turn(actor, || ());
        }
        assert_eq!(schedule.taken(), "ÄBÄ");
    }

    #[test]
    fn one_action_too_many_panics() {
        let schedule = Schedule::free("A");
        schedule.turn('A', || ());
        let again = thread::scope(|scope| scope.spawn(|| schedule.turn('A', || ())).join());
        let panic = again.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(message, "A has more actions than the race allows");
    }
}

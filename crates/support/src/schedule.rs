use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody waits longer than this for a turn.
const LIMIT: Duration = Duration::from_secs(5);

/// The longest pause before a turn of a run without a schedule.
const LONGEST_PAUSE: Duration = Duration::from_micros(20);

/// Who acts when in a race: one letter for each turn, the letter being the name of an actor.
///
/// The actors, usually threads, do their actions by [`turn`](Schedule::turn). A [`Race`](crate::Race)
/// hands out schedules of two kinds. With turns that were written down, each actor waits until the
/// next letter is its own. A free schedule lets everybody go ahead and writes down how it came.
///
/// In both kinds one action is done at a time, as if each were a single operation of the processor,
/// and it is noted down before the next one begins. So the order that [`taken`](Schedule::taken)
/// tells is the order in which the actions happened. What lies between two turns of an actor is not
/// kept together by anything: there the others may come between.
///
/// While an action is done the turns of all others wait, so it must not wait for one of them.
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
    /// The turns that were written down, if any were.
    given: Option<Vec<char>>,
    /// How many turns each actor has.
    turns_of: BTreeMap<char, usize>,
    progress: Mutex<Progress>,
    changed: Condvar,
    limit: Duration,
}

#[derive(Default)]
struct Progress {
    /// The actors that have come to their first turn.
    here: BTreeSet<char>,
    taken: String,
    /// Somebody does an action.
    acting: bool,
}

impl Schedule {
    /// A schedule with turns that were written down.
    pub(crate) fn given(turns: &str) -> Schedule {
        Schedule {
            given: Some(turns.chars().collect()),
            ..Schedule::free(turns)
        }
    }

    /// A schedule that lets each actor have as many turns as there are of it in `turns`, in whatever
    /// order they come.
    pub(crate) fn free(turns: &str) -> Schedule {
        Schedule {
            given: None,
            turns_of: count(turns),
            progress: Mutex::default(),
            changed: Condvar::new(),
            limit: LIMIT,
        }
    }

    /// Waits until it is the turn of `actor`, acts, and gives what the action gives.
    ///
    /// Where no turns were given, an actor waits at its first turn until all have come to theirs, so
    /// that none is done before the others have begun. Then it pauses before each turn for a random
    /// time of up to 20 µs, and acts.
    ///
    /// # Panics
    ///
    /// If the turn does not come within 5 seconds, or the actor has more turns than the race says.
    pub fn turn<R>(&self, actor: char, action: impl FnOnce() -> R) -> R {
        let mut progress = if let Some(turns) = &self.given {
            self.wait_for(&format!("the turn of {actor}"), |progress| {
                let turn = progress.taken.chars().count();
                !progress.acting && turns.get(turn) == Some(&actor)
            })
        } else {
            self.begin_together(actor);
            pause();
            self.wait_awake(actor)
        };
        let before = progress.taken.chars().filter(|&taken| taken == actor);
        let (before, all) = (before.count(), self.turns_of.get(&actor).copied());
        assert!(
            Some(before) < all,
            "{actor} takes more turns than the race says"
        );
        progress.acting = true;
        // An action that never ends would otherwise keep the others from giving up.
        drop(progress);
        let acting = Acting(self);
        let result = action();
        self.progress().taken.push(actor);
        drop(acting);
        result
    }

    /// Gives the turns that have been taken up to now, in their order.
    #[must_use]
    pub fn taken(&self) -> String {
        self.progress().taken.clone()
    }

    /// Waits, at an actor's first turn, until all actors have come.
    fn begin_together(&self, actor: char) {
        if !self.progress().here.insert(actor) {
            return;
        }
        // Whoever sleeps is late, so nobody does.
        let start = Instant::now();
        while self.progress().here.len() < self.turns_of.len() {
            assert!(
                start.elapsed() < self.limit,
                "{actor} waited in vain for the other actors"
            );
            thread::yield_now();
        }
    }

    /// Waits until nobody acts, without sleeping.
    fn wait_awake(&self, actor: char) -> MutexGuard<'_, Progress> {
        let start = Instant::now();
        loop {
            let progress = self.progress();
            if !progress.acting {
                return progress;
            }
            drop(progress);
            assert!(
                start.elapsed() < self.limit,
                "{actor} waited in vain for the action of another actor to end"
            );
            thread::yield_now();
        }
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&Progress) -> bool) -> MutexGuard<'_, Progress> {
        let (progress, wait) = self
            .changed
            .wait_timeout_while(self.progress(), self.limit, |progress| !holds(progress))
            .unwrap_or_else(PoisonError::into_inner);
        let taken = &progress.taken;
        assert!(
            !wait.timed_out(),
            "{what} never came; the turns taken are `{taken}`"
        );
        progress
    }

    /// The progress is whole even if an action panicked: it changes after the action.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the actor that does an action, and gone when it panics too.
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

/// Counts the turns of each actor.
pub(crate) fn count(turns: &str) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for actor in turns.chars() {
        *counts.entry(actor).or_default() += 1;
    }
    counts
}

/// Lets a random time go by, and others act meanwhile, even where there is one core only.
fn pause() {
    let length = LONGEST_PAUSE.mul_f64(fastrand::f64());
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
    fn turns_come_in_the_order_that_was_given() {
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
    fn what_a_free_schedule_tells_is_the_order_of_the_actions() {
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
    fn a_turn_that_never_comes_is_told_and_not_waited_for_without_end() {
        for mut schedule in [Schedule::given("BA"), Schedule::free("AB")] {
            schedule.limit = Duration::from_millis(50);
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
    fn an_actor_that_panics_takes_no_turn_and_spoils_none() {
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
    fn an_action_that_does_not_end_holds_nobody_without_end() {
        for mut schedule in [Schedule::given("AB"), Schedule::free("AB")] {
            schedule.limit = Duration::from_secs(2);
            let (schedule, given_up) = (&schedule, &AtomicBool::new(false));
            // Whoever acts first does so until the other one has given up.
            let until_given_up = || {
                let start = Instant::now();
                while !given_up.load(Relaxed) && start.elapsed() < Duration::from_mins(1) {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            let race = |actor| {
                let acted = panic::catch_unwind(AssertUnwindSafe(|| {
                    schedule.turn(actor, until_given_up);
                }));
                given_up.store(true, Relaxed);
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
    fn a_turn_too_many_is_told() {
        let schedule = Schedule::free("A");
        schedule.turn('A', || ());
        let again = thread::scope(|scope| scope.spawn(|| schedule.turn('A', || ())).join());
        let panic = again.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(message, "A takes more turns than the race says");
    }
}

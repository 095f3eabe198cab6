//! Bells: how processes wait for each other, and cost nothing while they do.
//!
//! A bell is an eventcount of two numbers in shared memory: how often it was struck, and whether anybody sleeps beside
//! it. It is struck only if somebody sleeps: nobody who finds work to do at once costs anybody a call of the system.
//! Before sleeping, a process looks for a few microseconds whether what it waits for comes, for to be put to sleep and
//! woken takes much longer than that.
//!
//! Only a sleeper says that it sleeps, and whoever strikes takes that back only when it is certain that none of those
//! who had said so sleeps any more. So it does not matter how often somebody is woken who waits beside several bells,
//! nor that sleepers are killed: they cost the next notification one call of the system.

use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

use crate::memory::layout::words::CHANNEL_EVENTCOUNTS;
use crate::memory::segment::Segment;
use crate::platform::futex::{self, Seen};

/// How long anybody sleeps at a time. A process that was woken and then killed cannot pass the word on: so
/// everybody looks for himself after that time at the latest. In the tests within the crate nobody is killed, and the
/// nap does not cover up for a wake-up that was lost.
pub(crate) const LONGEST_SLEEP: Duration =
    Duration::from_millis(if cfg!(test) { 300_000 } else { 50 });

/// The two numbers of a bell.
#[derive(Clone, Copy)]
pub(crate) struct EventCount<'a> {
    epoch: &'a AtomicU32,
    /// Odd if somebody sleeps, or is about to. It grows with each change, so that nobody takes back what was said
    /// after he looked.
    waiters: &'a AtomicU32,
}

/// More than that are woken by and by.
const ALL: u32 = i32::MAX.unsigned_abs();

/// Wakes all who sleep beside any bell of a segment's lanes.
pub(crate) fn notify_all_of(segment: &Segment) {
    for place in CHANNEL_EVENTCOUNTS.step_by(2) {
        EventCount::of(segment, place).notify_all();
    }
}

impl<'a> EventCount<'a> {
    /// The bell of a segment at a place, which is even.
    pub(crate) fn of(segment: &'a Segment, place: usize) -> EventCount<'a> {
        let words = segment.words();
        EventCount {
            epoch: &words[place],
            waiters: &words[place + 1],
        }
    }

    /// Wakes one of those who sleep, if anybody does. What they wait for was stored before this.
    pub(crate) fn notify_one(self) {
        self.notify(1);
    }

    /// Wakes all who sleep.
    pub(crate) fn notify_all(self) {
        self.notify(ALL);
    }

    /// Wakes up to so many of those who sleep.
    #[inline]
    pub(crate) fn notify(self, most: u32) {
        // Either the sleeper sees what was stored, or this sees the sleeper.
        fence(Ordering::SeqCst);
        if is_odd(self.waiters.load(Ordering::Relaxed)) {
            self.wake(most);
        }
    }

    #[cold]
    fn wake(self, most: u32) {
        // All who had said by now that they sleep had read `struck` before, and do not lie down once it has changed.
        let asleep = self.waiters.load(Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let all_awake = futex::wake(self.epoch, most);
        if all_awake && is_odd(asleep) {
            // Fails if somebody has said so since.
            let _ = self.waiters.compare_exchange(
                asleep,
                asleep.wrapping_add(1),
                Ordering::SeqCst,
                Ordering::Relaxed,
            );
        }
    }

    /// Says that somebody is about to sleep, and gives what the bell shows: he sleeps until it shows something else.
    /// What he waits for is looked at after this and after a fence, or before this and under a lock under which it
    /// changes.
    pub(crate) fn prepare_wait(self) -> u32 {
        let struck = self.epoch.load(Ordering::SeqCst);
        let say_so = |waiters: u32| Some(waiters.wrapping_add(2) | 1);
        let _ = self
            .waiters
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, say_so);
        struck
    }

    /// Sleeps until the bell shows something else than when this thread [lay down](EventCount::prepare_wait), or it is time.
    pub(crate) fn wait_while(self, seen: u32, until: Instant) {
        futex::wait_while(self.epoch, seen, Some(until));
    }
}

fn is_odd(number: u32) -> bool {
    number % 2 == 1
}

/// Sleeps beside several bells, until one is struck or the deadline or a [`LONGEST_SLEEP`] is over; does not lie down if
/// `ready`.
pub(crate) fn sleep(
    bells: &[EventCount<'_>],
    deadline: Option<Instant>,
    ready: impl FnOnce() -> bool,
) {
    let nap = Instant::now() + LONGEST_SLEEP;
    let until = deadline.map_or(nap, |deadline| deadline.min(nap));
    let seen: Vec<Seen<'_>> = bells
        .iter()
        .map(|bell| (bell.epoch, bell.prepare_wait()))
        .collect();
    // The counterpart of the one in `notify`.
    fence(Ordering::SeqCst);
    if !ready() {
        futex::wait_for_any(&seen, Some(until));
    }
}

/// How long to look before sleeping, learnt from how often that was worth it.
#[derive(Debug)]
pub(crate) struct AdaptiveSpin(AtomicU32);

/// Nanoseconds of looking, at least and at most.
const LEAST: u32 = 1_000;
const MOST: u32 = 50_000;

impl AdaptiveSpin {
    pub(crate) const fn new() -> AdaptiveSpin {
        AdaptiveSpin(AtomicU32::new(MOST))
    }

    /// Looks for a short while whether it is `ready`.
    pub(crate) fn spin(&self, mut ready: impl FnMut() -> bool) -> bool {
        if !has_several_cores() {
            return ready();
        }
        let budget = self.0.load(Ordering::Relaxed);
        let start = Instant::now();
        loop {
            for _ in 0..20 {
                if ready() {
                    self.0
                        .store((budget + budget / 4).min(MOST), Ordering::Relaxed);
                    return true;
                }
                std::hint::spin_loop();
            }
            if start.elapsed() >= Duration::from_nanos(budget.into()) {
                self.0.store((budget / 2).max(LEAST), Ordering::Relaxed);
                return false;
            }
        }
    }
}

fn has_several_cores() -> bool {
    static CORES: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything here takes; who was forgotten sleeps until then.
    const LIMIT: Duration = Duration::from_mins(1);

    /// The numbers of a bell, and what is waited for beside it.
    #[derive(Default)]
    struct Tower {
        epoch: AtomicU32,
        waiters: AtomicU32,
        things: AtomicU32,
    }

    impl Tower {
        fn bell(&self) -> EventCount<'_> {
            EventCount {
                epoch: &self.epoch,
                waiters: &self.waiters,
            }
        }

        fn put(&self) {
            self.things.fetch_add(1, Ordering::SeqCst);
            self.bell().notify_one();
        }

        fn has_some(&self) -> bool {
            self.things.load(Ordering::SeqCst) > 0
        }

        fn take(&self) -> bool {
            self.things
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |all| all.checked_sub(1))
                .is_ok()
        }

        fn is_slept_beside(&self) -> bool {
            is_odd(self.waiters.load(Ordering::SeqCst))
        }
    }

    /// Waits until as many have said that they sleep.
    fn wait_for_sleepers(tower: &Tower, before: u32, count: u32) {
        let end = Instant::now() + LIMIT;
        while tower.waiters.load(Ordering::SeqCst).wrapping_sub(before) / 2 < count {
            assert!(Instant::now() < end, "nobody lies down");
            std::thread::yield_now();
        }
        // Until they do sleep; if they do not yet, nothing else is tested than usual.
        std::thread::sleep(Duration::from_micros(300));
    }

    #[test]
    fn who_is_woken_at_two_bells_does_not_hide_a_third_sleeper() {
        let start = Instant::now();
        for round in 0..300 {
            let towers = [Tower::default(), Tower::default()];
            let watched = &towers[round % 2];
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let bells = towers.each_ref().map(Tower::bell);
                    let ready = || towers.iter().any(Tower::has_some);
                    sleep(&bells, Some(Instant::now() + LIMIT), ready);
                });
                wait_for_sleepers(watched, 0, 1);
                let before = watched.waiters.load(Ordering::SeqCst);
                let third = scope.spawn(|| {
                    // It takes two things, one after the other.
                    for _ in 0..2 {
                        while !watched.take() {
                            let end = Instant::now() + LIMIT;
                            sleep(&[watched.bell()], Some(end), || watched.has_some());
                        }
                    }
                });
                wait_for_sleepers(watched, before, 1);
                // Both bells are struck before the first sleeper gets up; then the one once more.
                towers.iter().for_each(Tower::put);
                std::thread::sleep(Duration::from_micros(300));
                watched.put();
                third.join().expect("it takes both things");
            });
            assert!(start.elapsed() < LIMIT / 2, "a sleeper was forgotten");
        }
    }

    #[test]
    fn a_strike_that_wakes_nobody_is_the_last_one_that_calls_the_system() {
        let tower = Tower::default();
        assert!(!tower.is_slept_beside());
        // A sleeper that was killed, or found something to do after all.
        let _ = tower.bell().prepare_wait();
        assert!(tower.is_slept_beside());
        tower.put();
        assert!(!tower.is_slept_beside());
        let struck = tower.epoch.load(Ordering::SeqCst);
        tower.put();
        assert_eq!(tower.epoch.load(Ordering::SeqCst), struck);
    }

    #[test]
    fn nobody_takes_back_what_was_said_after_he_looked() {
        let tower = Tower::default();
        let _ = tower.bell().prepare_wait();
        let seen = tower.waiters.load(Ordering::SeqCst);
        // Between the look and the taking back somebody else strikes, and a sleeper comes.
        tower.put();
        let _ = tower.bell().prepare_wait();
        let taken_back =
            tower
                .waiters
                .compare_exchange(seen, seen + 1, Ordering::SeqCst, Ordering::SeqCst);
        assert!(taken_back.is_err() && tower.is_slept_beside());
    }
}

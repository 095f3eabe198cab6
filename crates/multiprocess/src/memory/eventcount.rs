//! Eventcounts: how processes wait for each other without using the processor.
//!
//! An eventcount is two numbers in shared memory: the epoch, which each notification increments, and the waiters, which
//! say whether any thread waits. Without waiters, a notification makes no system call. Before a thread sleeps, it spins
//! for a few microseconds: sleeping and waking take much longer.
//!
//! Only a waiter marks the eventcount as waited for, and a notification clears the mark only when it is certain that
//! none of the waiters it saw still sleeps. So a thread may wait for several eventcounts and be woken several times,
//! and waiters may be killed: they cost the next notification one system call.

use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

use crate::memory::slot::Slot;
use crate::platform::futex::{self, Seen};

/// The maximum time that a thread sleeps before it checks again. A process that is killed after it was woken can't pass
/// the wake-up on. The unit tests kill no process, so there the limit is too long to hide a lost wake-up.
pub(crate) const LONGEST_SLEEP: Duration =
    Duration::from_millis(if cfg!(test) { 300_000 } else { 50 });

#[derive(Clone, Copy)]
pub(crate) struct EventCount<'a> {
    pub(crate) epoch: &'a AtomicU32,
    /// Odd if a thread waits, or is about to. Each change increments it, so that a notification cannot clear a mark
    /// that was set after it looked.
    pub(crate) waiters: &'a AtomicU32,
}

const ALL: u32 = i32::MAX.unsigned_abs();

impl<'a> EventCount<'a> {
    /// Returns the eventcount of a slot at a place, which is even.
    #[inline]
    pub(crate) fn of(slot: &'a Slot, place: usize) -> EventCount<'a> {
        let words = slot.words();
        EventCount {
            epoch: &words[place],
            waiters: &words[place + 1],
        }
    }

    /// Wakes one waiter, if there is one. The caller has stored what it waits for.
    #[inline]
    pub(crate) fn notify_one(self) {
        self.notify(1);
    }

    pub(crate) fn notify_all(self) {
        self.notify(ALL);
    }

    #[inline]
    pub(crate) fn notify(self, count: u32) {
        // Either the waiter sees the new data, or this sees the waiter.
        fence(Ordering::SeqCst);
        if is_odd(self.waiters.load(Ordering::Relaxed)) {
            self.wake(count);
        }
    }

    #[cold]
    fn wake(self, count: u32) {
        // All waiters marked by now have read the epoch before, and don't sleep once it has changed.
        let seen = self.waiters.load(Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let all_awake = futex::wake(self.epoch, count);
        if all_awake && is_odd(seen) {
            // Fails if there is a new waiter.
            let (waiters, clear) = (self.waiters, seen.wrapping_add(1));
            let _ = waiters.compare_exchange(seen, clear, Ordering::SeqCst, Ordering::Relaxed);
        }
    }

    /// Marks this thread as a waiter, and returns the epoch: it sleeps until the epoch changes. It checks what it waits
    /// for after this and after a fence, or before this and under a lock under which it changes.
    pub(crate) fn prepare_wait(self) -> u32 {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let mark = |waiters: u32| Some(waiters.wrapping_add(2) | 1);
        let waiters = self.waiters;
        let _ = waiters.fetch_update(Ordering::SeqCst, Ordering::Relaxed, mark);
        epoch
    }

    /// Sleeps until the epoch differs from `seen`, which `prepare_wait` returned, or until the deadline.
    pub(crate) fn wait_while(self, seen: u32, until: Instant) {
        futex::wait(&[(self.epoch, seen)], until);
    }
}

fn is_odd(number: u32) -> bool {
    number % 2 == 1
}

/// Sleeps until one of several eventcounts is notified, or until the deadline, but at most [`LONGEST_SLEEP`]; not at
/// all if `ready`.
pub(crate) fn sleep<'a>(
    eventcounts: &[EventCount<'a>],
    deadline: Option<Instant>,
    ready: impl FnOnce() -> bool,
) {
    let longest = Instant::now() + LONGEST_SLEEP;
    let until = deadline.map_or(longest, |deadline| deadline.min(longest));
    let prepare = |eventcount: &EventCount<'a>| (eventcount.epoch, eventcount.prepare_wait());
    let seen: Vec<Seen<'_>> = eventcounts.iter().map(prepare).collect();
    // Pairs with the fence in `notify`.
    fence(Ordering::SeqCst);
    if !ready() {
        futex::wait(&seen, until);
    }
}

/// How long to spin before sleeping: longer after a success, shorter after a failure.
#[derive(Debug)]
pub(crate) struct AdaptiveSpin(AtomicU32);

/// The limits of the time to spin, in nanoseconds.
const MIN_SPIN: u32 = 1_000;
const MAX_SPIN: u32 = 50_000;

impl AdaptiveSpin {
    pub(crate) const fn new() -> AdaptiveSpin {
        AdaptiveSpin(AtomicU32::new(MAX_SPIN))
    }

    /// Spins until it is `ready`; returns false after the time to spin.
    pub(crate) fn spin(&self, mut ready: impl FnMut() -> bool) -> bool {
        if !has_several_cores() {
            return ready();
        }
        let budget = self.0.load(Ordering::Relaxed);
        let start = Instant::now();
        loop {
            for _ in 0..20 {
                if ready() {
                    let longer = (budget + budget / 4).min(MAX_SPIN);
                    self.0.store(longer, Ordering::Relaxed);
                    return true;
                }
                std::hint::spin_loop();
            }
            if start.elapsed() >= Duration::from_nanos(budget.into()) {
                self.0.store((budget / 2).max(MIN_SPIN), Ordering::Relaxed);
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

    /// Longer than anything here takes; a thread that missed its wake-up sleeps until then.
    const LIMIT: Duration = Duration::from_mins(1);

    /// An eventcount, and the items that its waiters wait for.
    #[derive(Default)]
    struct Items {
        epoch: AtomicU32,
        waiters: AtomicU32,
        count: AtomicU32,
    }

    impl Items {
        fn eventcount(&self) -> EventCount<'_> {
            let Items { epoch, waiters, .. } = self;
            EventCount { epoch, waiters }
        }

        fn waiters(&self) -> u32 {
            self.waiters.load(Ordering::SeqCst)
        }

        fn put(&self) {
            self.count.fetch_add(1, Ordering::SeqCst);
            self.eventcount().notify_one();
        }

        fn has_some(&self) -> bool {
            self.count.load(Ordering::SeqCst) > 0
        }

        fn take(&self) -> bool {
            let one_less = |all: u32| all.checked_sub(1);
            let taken = self
                .count
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
            taken.is_ok()
        }
    }

    /// Waits until there is a new waiter.
    fn wait_for_waiter(items: &Items, before: u32) {
        let end = Instant::now() + LIMIT;
        while items.waiters().wrapping_sub(before) < 2 {
            assert!(Instant::now() < end, "no thread waits");
            std::thread::yield_now();
        }
        // Until they sleep. If one doesn't yet, the test still passes, but tests less.
        std::thread::sleep(Duration::from_micros(300));
    }

    #[test]
    fn a_thread_woken_by_two_eventcounts_does_not_hide_another_waiter() {
        let start = Instant::now();
        for round in 0..300 {
            let both = [Items::default(), Items::default()];
            let shared = &both[round % 2];
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let eventcounts = both.each_ref().map(Items::eventcount);
                    let ready = || both.iter().any(Items::has_some);
                    sleep(&eventcounts, Some(Instant::now() + LIMIT), ready);
                });
                wait_for_waiter(shared, 0);
                let before = shared.waiters();
                let second = scope.spawn(|| {
                    // Takes two items, one after the other.
                    for _ in 0..2 {
                        while !shared.take() {
                            let end = Instant::now() + LIMIT;
                            sleep(&[shared.eventcount()], Some(end), || shared.has_some());
                        }
                    }
                });
                wait_for_waiter(shared, before);
                // Both are notified before the first waiter runs again; then the shared one once more.
                both.iter().for_each(Items::put);
                std::thread::sleep(Duration::from_micros(300));
                shared.put();
                second.join().expect("it takes both items");
            });
            assert!(start.elapsed() < LIMIT / 2, "a waiter missed its wake-up");
        }
    }

    #[test]
    fn a_notification_that_wakes_no_thread_clears_the_mark_that_it_saw_and_no_later_one() {
        let items = Items::default();
        // A waiter that was killed, or did not sleep after all.
        let _ = items.eventcount().prepare_wait();
        let seen = items.waiters();
        assert!(is_odd(seen));
        items.put();
        assert!(!is_odd(items.waiters()));
        // So the next notification makes no system call.
        let epoch = items.epoch.load(Ordering::SeqCst);
        items.put();
        assert_eq!(items.epoch.load(Ordering::SeqCst), epoch);
        let _ = items.eventcount().prepare_wait();
        // One that had looked before would not clear this mark: it clears only what it saw.
        assert!(is_odd(items.waiters()) && items.waiters() != seen);
    }
}

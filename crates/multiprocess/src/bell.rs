//! Bells: how processes wait for each other, and cost nothing while they do.
//!
//! A bell is two numbers in shared memory: how often it was struck, and how many processes sleep beside it. It is
//! struck only if somebody sleeps: nobody who finds work to do at once costs anybody a call of the system. Before
//! sleeping, a process looks for a few microseconds whether what it waits for comes, for to be put to sleep and
//! woken takes much longer than that.

use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

use crate::memory::Segment;
use crate::wait::{self, Ended, Seen};

/// How long anybody sleeps at a time. A process that was woken and then killed cannot pass the word on: so
/// everybody looks for himself after that time at the latest.
pub(crate) const NAP: Duration = Duration::from_millis(50);

/// The two numbers of a bell.
#[derive(Clone, Copy)]
pub(crate) struct Bell<'a> {
    struck: &'a AtomicU32,
    sleepers: &'a AtomicU32,
}

/// Places of the bells among the words of a segment.
pub(crate) const BELLS: usize = 10;

/// Wakes all who sleep beside any bell of a segment.
pub(crate) fn strike_all(segment: &Segment) {
    for place in (0..BELLS).step_by(2) {
        Bell::of(segment, place).strike_for_all();
    }
}

impl<'a> Bell<'a> {
    /// The bell of a segment at a place, which is even.
    pub(crate) fn of(segment: &'a Segment, place: usize) -> Bell<'a> {
        let words = segment.words();
        Bell {
            struck: &words[place],
            sleepers: &words[place + 1],
        }
    }

    /// Wakes one of those who sleep, if anybody does. What they wait for was stored before this.
    pub(crate) fn strike(self) {
        self.strike_for(1);
    }

    /// Wakes all who sleep.
    pub(crate) fn strike_for_all(self) {
        // More than that are woken by and by.
        self.strike_for(i32::MAX.unsigned_abs());
    }

    #[inline]
    fn strike_for(self, most: u32) {
        // Either the sleeper sees what was stored, or this sees the sleeper.
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) != 0 {
            self.wake(most);
        }
    }

    #[cold]
    fn wake(self, most: u32) {
        self.struck.fetch_add(1, Ordering::SeqCst);
        match wait::wake(self.struck, most) {
            // They are just about to lie down, and see that the bell was struck; or they were killed in their sleep, and
            // count for ever, which costs each strike a call of the system. To count them off here would be to count off
            // somebody who has lain down meanwhile.
            Some(0) | None => {}
            Some(woken) => self.count_off(u32::try_from(woken).unwrap_or(u32::MAX)),
        }
    }

    fn count_off(self, count: u32) {
        let _ = self
            .sleepers
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, |sleepers| {
                (sleepers > 0).then(|| sleepers.saturating_sub(count))
            });
    }
}

/// Sleeps beside several bells, until one is struck or the deadline or a [`NAP`] is over; does not lie down if
/// `ready`.
pub(crate) fn sleep(
    bells: &[Bell<'_>],
    deadline: Option<Instant>,
    mut ready: impl FnMut() -> bool,
) {
    let nap = Instant::now() + NAP;
    let until = deadline.map_or(nap, |deadline| deadline.min(nap));
    let seen: Vec<Seen<'_>> = bells
        .iter()
        .map(|bell| {
            bell.sleepers.fetch_add(1, Ordering::SeqCst);
            (bell.struck, bell.struck.load(Ordering::SeqCst))
        })
        .collect();
    // The counterpart of the one in `strike`.
    fence(Ordering::SeqCst);
    let ended = if ready() {
        Ended::ByItself
    } else {
        wait::wait_for_any(&seen, Some(until))
    };
    for (place, bell) in bells.iter().enumerate() {
        if ended != Ended::Woken(place) {
            bell.count_off(1);
        }
    }
}

/// How long to look before sleeping, learnt from how often that was worth it.
#[derive(Debug)]
pub(crate) struct Attention(AtomicU32);

/// Nanoseconds of looking, at least and at most.
const LEAST: u32 = 1_000;
const MOST: u32 = 50_000;

impl Attention {
    pub(crate) const fn new() -> Attention {
        Attention(AtomicU32::new(MOST))
    }

    /// Looks for a short while whether it is `ready`.
    pub(crate) fn look(&self, mut ready: impl FnMut() -> bool) -> bool {
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

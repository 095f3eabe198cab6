//! The rounds of a barrier, in shared memory.
//!
//! There is no lock, so a stopped process blocks no others, except those that wait for it. A round ends when a thread
//! stores its outcome, which only the first one can. Any thread that sees this begins the next round, so it doesn't
//! matter if the first one is killed.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Instant;

use bytemuck::cast;

use crate::errors::broken_by::BrokenBy;
use crate::errors::error::Error;
use crate::errors::holder::Holder;
use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::slot::Slot;
use crate::platform::wait_until::is_over;
use crate::sync::table::{Table, next_check};

/// The memory of a barrier.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    pub(super) memory: Arc<Slot>,
    pub(super) participants: Table,
}

/// The round, and how many have arrived in it: all, while the last one runs its action.
const NOW: usize = 0;
/// The last round that did not pass, and its outcome.
const LAST_FAILED: usize = 1;
/// For each of the last rounds: its number, and its outcome.
const OUTCOMES: usize = 2;
const KNOWN_ROUNDS: u32 = 64;
/// The table of the processes that are participants.
pub(super) const PARTICIPANTS: usize = OUTCOMES + KNOWN_ROUNDS as usize;

// The outcomes, stored with the culprit's pid times 8. All but the first two leave the barrier broken.
pub(super) const PASSED: u32 = 1;
pub(super) const RESET: u32 = 2;
const TIMEOUT: u32 = 3;
pub(super) const ABORT: u32 = 4;
pub(super) const DEATH: u32 = 5;
pub(super) const PANIC: u32 = 6;

/// Returns the error for an outcome.
pub(super) fn broken_by(outcome: u32) -> Error {
    let culprit = || Holder::of(outcome >> 3);
    let by = match outcome % 8 {
        TIMEOUT => BrokenBy::Timeout(culprit()),
        ABORT => BrokenBy::Abort(culprit()),
        DEATH => BrokenBy::Death(culprit()),
        PANIC => BrokenBy::Panic(culprit()),
        _ => BrokenBy::Reset,
    };
    Error::BarrierBroken { by }
}

impl Rounds {
    fn number(&self, place: usize) -> &AtomicU64 {
        &self.memory.numbers()[place]
    }

    fn ended(&self) -> EventCount<'_> {
        EventCount::of(&self.memory, words::EVENTCOUNT)
    }

    fn outcome_of(&self, round: u32) -> &AtomicU64 {
        self.number(OUTCOMES + (round % KNOWN_ROUNDS) as usize)
    }

    /// Returns how a round ended; `None` if it hasn't, or too long ago.
    fn outcome(&self, round: u32) -> Option<u32> {
        let [known, outcome] = cast(self.outcome_of(round).load(Ordering::SeqCst));
        (known == round && outcome != 0).then_some(outcome)
    }

    /// Returns the round, and how many have arrived in it. Begins the next round if this one has ended.
    pub(super) fn now(&self) -> (u32, u32) {
        loop {
            let [round, arrived] = cast(self.number(NOW).load(Ordering::SeqCst));
            let Some(outcome) = self.outcome(round) else {
                return (round, arrived);
            };
            self.note_failure(round, outcome);
            if self.change([round, arrived], [round.wrapping_add(1), 0]) {
                self.ended().notify_all();
            }
        }
    }

    /// Records how a round failed, if it did, before the next one begins.
    fn note_failure(&self, round: u32, outcome: u32) {
        let newer = |last| {
            let [failed, how]: [u32; 2] = cast(last);
            let is_newer = how == 0 || round.wrapping_sub(failed).cast_signed() > 0;
            (outcome != PASSED && is_newer).then_some(cast([round, outcome]))
        };
        let order = Ordering::SeqCst;
        let _ = self.number(LAST_FAILED).fetch_update(order, order, newer);
    }

    /// Returns how a round that is over ended. While this thread slept, others may have finished many more rounds; then
    /// it passed, unless one has failed since.
    pub(super) fn final_outcome(&self, round: u32) -> u32 {
        self.outcome(round).unwrap_or_else(|| {
            let [failed, how]: [u32; 2] = cast(self.number(LAST_FAILED).load(Ordering::SeqCst));
            let (now, _) = self.now();
            match failed.wrapping_sub(round) {
                0 if how != 0 => how,
                later if how != 0 && later < now.wrapping_sub(round) => RESET,
                _ => PASSED,
            }
        })
    }

    /// Changes the round and how many have arrived in it; returns false if another thread has changed them.
    pub(super) fn change(&self, now: [u32; 2], next: [u32; 2]) -> bool {
        let (now, next, order) = (cast(now), cast(next), Ordering::SeqCst);
        let changed = self.number(NOW).compare_exchange(now, next, order, order);
        changed.is_ok()
    }

    /// Ends a round; returns false if it has already ended.
    pub(super) fn end(&self, round: u32, outcome: u32, culprit: u32) -> bool {
        let end = |last| {
            let [known, _]: [u32; 2] = cast(last);
            let is_open = last == 0 || round.wrapping_sub(known) == KNOWN_ROUNDS;
            is_open.then_some(cast([round, culprit << 3 | outcome]))
        };
        let order = Ordering::SeqCst;
        let ended = self.outcome_of(round).fetch_update(order, order, end);
        self.now();
        ended.is_ok()
    }

    /// Returns the error if the barrier is broken when a round begins.
    pub(super) fn broken_before(&self, round: u32) -> Option<Error> {
        let last = self.outcome(round.wrapping_sub(1));
        last.filter(|outcome| outcome % 8 > RESET).map(broken_by)
    }

    /// Breaks the barrier in this round, unless it is broken: the first cause stays. Returns false if the round has
    /// ended.
    fn break_in(&self, round: u32, outcome: u32, culprit: u32) -> bool {
        let is_broken = self.broken_before(round).is_some() && self.now().0 == round;
        is_broken || self.end(round, outcome, culprit)
    }

    pub(super) fn break_by(&self, outcome: u32, culprit: u32) {
        while !self.break_in(self.now().0, outcome, culprit) {}
    }

    /// Waits for the end of a round. Returns false after the deadline; if this thread `has_arrived` in the round, that
    /// breaks the barrier.
    pub(super) fn wait_for_end(
        &self,
        round: u32,
        deadline: Option<Instant>,
        has_arrived: bool,
    ) -> bool {
        let mut check = next_check();
        loop {
            let seen = self.ended().prepare_wait();
            // Pairs with the fence in `notify`.
            fence(Ordering::SeqCst);
            if self.now().0 != round {
                return true;
            }
            let until = deadline.map_or(check, |deadline| deadline.min(check));
            self.ended().wait_while(seen, until);
            if Instant::now() >= until {
                self.check_for_dead();
                check = next_check();
            }
            if is_over(deadline) && (!has_arrived || self.end(round, TIMEOUT, process::id())) {
                return false;
            }
        }
    }

    /// Breaks the barrier if a participant is dead, and removes the dead ones.
    pub(super) fn check_for_dead(&self) {
        loop {
            let (round, _) = self.now();
            let dead = self.participants.dead(|_| true);
            let Some((_, first)) = dead.first() else {
                return;
            };
            // Only then, since removing them from a round that has ended would hide them from the next one.
            if self.break_in(round, DEATH, first.pid()) {
                for (place, process) in dead {
                    self.participants.remove(place, process);
                }
                return;
            }
        }
    }
}

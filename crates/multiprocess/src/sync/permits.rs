//! The permits of a semaphore, in shared memory.
//!
//! A permit is taken without a lock: the process adds one to its own number of permits, and then takes one from the free
//! ones. If it is killed between the two, or with permits, they are found in its number: another process clears that,
//! and counts the free permits anew. Counting has a version. Who takes or releases a permit and sees another version
//! afterwards can't know whether it was counted, and has them counted once more.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::errors::holder::Holder;
use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::liveness::UniquePid;
use crate::memory::segment::{Access, Segment};
use crate::memory::segment_lock::Turn;
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::monitor::next_check;

#[derive(Clone, Debug)]
pub(crate) struct Permits {
    pub(crate) memory: Arc<Segment>,
    /// How many there are, free or not.
    pub(crate) all: u32,
    /// Where this process is in the table.
    place: OnceLock<usize>,
}

/// The most processes that can use a semaphore at one time; a further one waits as if all permits were taken.
const MAX_PROCESSES: usize = 1024;

/// The turn of the process that removes others from the table, or counts.
const TURN: usize = 0;

/// How long to wait for that turn. It is not held for long, unless by a process that was stopped.
const SOON: WaitUntil = WaitUntil::Try;

/// How many permits are free, and above, the version. The bit between is set while they are counted.
#[derive(Clone, Copy)]
struct State(u64);

impl State {
    const COUNTING: u64 = 1 << 32;

    #[inline]
    fn free(self) -> u64 {
        self.0 & (State::COUNTING - 1)
    }

    #[inline]
    fn is_counting(self) -> bool {
        self.0 & State::COUNTING != 0
    }

    #[inline]
    fn has_version_of(self, other: State) -> bool {
        self.0 >> 32 == other.0 >> 32
    }

    /// Returns the next version, while its permits are counted.
    fn next(self) -> State {
        State(((self.0 >> 33) + 1) << 33 | State::COUNTING)
    }

    fn counted(self, free: u64) -> State {
        State(self.0 & !State::COUNTING | free)
    }
}

impl Permits {
    /// Makes permits, all free.
    pub(crate) fn make(all: u32) -> io::Result<Permits> {
        let bytes = (1 + 2 * MAX_PROCESSES) * size_of::<u64>();
        let permits = Permits::of(Segment::create(bytes, Access::Atomic)?, all);
        permits.state_word().store(all.into(), Ordering::SeqCst);
        Ok(permits)
    }

    pub(crate) fn of(memory: Arc<Segment>, all: u32) -> Permits {
        Permits {
            memory,
            all,
            place: OnceLock::new(),
        }
    }

    /// Takes a permit if one is free and nothing else has to be done for it.
    #[inline]
    pub(crate) fn take_at_once(&self) -> bool {
        let place = self.known_place();
        place.is_some_and(|place| self.take_free(place) == Some(true))
    }

    /// Returns the number of free permits, with those of dead processes.
    pub(crate) fn free(&self) -> Result<u32, Refused> {
        self.release_dead(true, WaitUntil::Until(None))?;
        Ok(u32::try_from(self.state().free()).unwrap_or(self.all))
    }

    /// Takes a permit; waits for one. False if none was free in time.
    pub(crate) fn take(&self, limit: WaitUntil) -> Result<bool, Refused> {
        let mut next_look = next_check(None);
        let mut looks = 0;
        loop {
            let place = self.place()?;
            match place.map(|place| self.take_free(place)) {
                Some(Some(true)) => return Ok(true),
                Some(None) if self.count(SOON)? => continue,
                _ => {}
            }
            let over = limit.is_over();
            if over || Instant::now() >= next_look {
                looks += 1;
                // Those without permits seldom matter.
                match self.release_dead(looks % 10 == 0, SOON) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    // Another one looks.
                    Err(Refused::Busy) if !over => {}
                    Err(refused) => return Err(refused),
                }
                next_look = next_check(None);
            }
            if over {
                return Ok(false);
            }
            let seen = self.freed().prepare_wait();
            // The counterpart of the one in `notify`.
            fence(Ordering::SeqCst);
            if place.is_none() || self.state().free() == 0 {
                let until = limit.deadline().map_or(next_look, |end| end.min(next_look));
                self.freed().wait_while(seen, until);
            }
        }
    }

    /// Takes a permit if one is free; `None` if the permits have to be counted.
    #[inline]
    fn take_free(&self, place: usize) -> Option<bool> {
        let seen = self.state();
        if seen.is_counting() {
            return None;
        }
        if seen.free() == 0 {
            return Some(false);
        }
        self.count_at(place).fetch_add(1, Ordering::SeqCst);
        if self.change_free(seen, |free| free.checked_sub(1)) {
            return Some(true);
        }
        self.count_at(place).fetch_sub(1, Ordering::SeqCst);
        if self.state().has_version_of(seen) {
            return Some(false);
        }
        self.stale().store(1, Ordering::SeqCst);
        None
    }

    /// Releases a permit of this process.
    #[inline]
    pub(crate) fn release(&self) {
        let Some(place) = self.known_place() else {
            return;
        };
        // A copy made by `fork` may have released it.
        if self.permits_at(place) == 0 {
            return;
        }
        let seen = self.state();
        // First this: if the process is killed before the next, its death has the permits counted.
        let freed = !seen.is_counting() && self.change_free(seen, |free| Some(free + 1));
        self.count_at(place).fetch_sub(1, Ordering::SeqCst);
        if !freed || !self.state().has_version_of(seen) {
            self.stale().store(1, Ordering::SeqCst);
            // Where another has the turn, that one counts, or the next that waits.
            let _ = self.count(SOON);
        }
        self.freed().notify_one();
    }

    /// Changes the number of free permits; false if it can't be changed so, or there is another version.
    #[inline]
    fn change_free(&self, seen: State, change: impl Fn(u64) -> Option<u64>) -> bool {
        let change = |now| {
            let now = State(now);
            let free = change(now.free()).filter(|_| now.has_version_of(seen));
            free.map(|free| now.0 - now.free() + free)
        };
        let changed = self
            .state_word()
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
        changed.is_ok()
    }

    /// Waits for the turn to change the table, or to count.
    fn turn(&self, limit: WaitUntil) -> Result<Turn<'_>, Refused> {
        self.memory.check_process()?;
        self.memory.turn(TURN, limit.for_a_turn())
    }

    /// Has the permits counted if they have to be; false if another process is at it.
    fn count(&self, limit: WaitUntil) -> Result<bool, Refused> {
        let _turn = match self.turn(limit) {
            Err(Refused::Busy) => return Ok(false),
            turn => turn?,
        };
        self.count_in_turn();
        Ok(true)
    }

    fn must_be_counted(&self) -> bool {
        self.state().is_counting() || self.stale().load(Ordering::SeqCst) != 0
    }

    /// Counts the free permits if they have to be, again if somebody asks for it meanwhile; returns whether it did. The
    /// caller has the turn. If this process is killed, the next one that finds it counting begins anew.
    fn count_in_turn(&self) -> bool {
        let mut has_counted = false;
        while self.must_be_counted() {
            let counting = self.state().next();
            self.state_word().store(counting.0, Ordering::SeqCst);
            // Only now: a process that finds the next version asks for it again.
            self.stale().store(0, Ordering::SeqCst);
            let held: u64 = self
                .processes()
                .map(|(place, _)| self.permits_at(place))
                .sum();
            let counted = counting.counted(u64::from(self.all).saturating_sub(held));
            self.state_word().store(counted.0, Ordering::SeqCst);
            has_counted = true;
        }
        if has_counted {
            self.freed().notify_all();
        }
        has_counted
    }

    /// Releases the permits of dead processes; true if some may be free now. Looks at those that have permits, or at all
    /// that have a place.
    fn release_dead(&self, all: bool, limit: WaitUntil) -> Result<bool, Refused> {
        let _turn = self.turn(limit)?;
        self.clear_dead(all);
        Ok(self.count_in_turn())
    }

    /// Clears the places of dead processes, which then have to be counted; the caller has the turn. One without a permit
    /// may have been killed before it had them counted.
    fn clear_dead(&self, all: bool) {
        let run = self.memory.run();
        let is_asked = |place| all || self.permits_at(place) > 0;
        let dead: Vec<usize> = self
            .processes()
            .filter(|&(place, process)| is_asked(place) && process.has_ended(run))
            .map(|(place, _)| place)
            .collect();
        if !dead.is_empty() {
            // Before: whatever happens to this process now, they are counted.
            self.stale().store(1, Ordering::SeqCst);
        }
        for place in dead {
            self.count_at(place).store(0, Ordering::SeqCst);
            self.numbers()[place].store(0, Ordering::SeqCst);
        }
    }

    /// Returns the place of this process in the table, if it has taken one.
    #[inline]
    fn known_place(&self) -> Option<usize> {
        let place = *self.place.get()?;
        let process = self.numbers()[place].load(Ordering::Relaxed);
        (process == UniquePid::own().number()).then_some(place)
    }

    /// Returns the place of this process, or takes one; `None` if all are taken.
    fn place(&self) -> Result<Option<usize>, Refused> {
        if let Some(place) = self.known_place() {
            return Ok(Some(place));
        }
        self.memory.check_process()?;
        let me = UniquePid::own().number();
        let place_of = |number| self.places().find(|(_, process)| *process == number);
        let take = |(place, _): &(usize, u64)| {
            let number = &self.numbers()[*place];
            number
                .compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
        };
        let mut found = place_of(me).or_else(|| self.places().find(take));
        if found.is_none() && self.release_dead(true, SOON).is_ok() {
            found = self.places().find(take);
        }
        let place = found.map(|(place, _)| place);
        if let Some(place) = place {
            let _ = self.place.set(place);
        }
        Ok(place)
    }

    #[inline]
    fn numbers(&self) -> &[AtomicU64] {
        self.memory.atomics()
    }

    /// The first of the numbers is the state.
    #[inline]
    fn state_word(&self) -> &AtomicU64 {
        &self.numbers()[0]
    }

    #[inline]
    fn state(&self) -> State {
        State(self.state_word().load(Ordering::SeqCst))
    }

    /// The places of the table: where each is, and the number of the process there, or 0.
    fn places(&self) -> impl Iterator<Item = (usize, u64)> {
        let places = (1..).step_by(2).take(MAX_PROCESSES);
        places.map(|place| (place, self.numbers()[place].load(Ordering::SeqCst)))
    }

    fn processes(&self) -> impl Iterator<Item = (usize, UniquePid)> {
        self.places()
            .filter_map(|(place, number)| Some((place, UniquePid::from_number(number)?)))
    }

    /// Returns the processes that have permits.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        let holders = self
            .processes()
            .filter(|&(place, _)| self.permits_at(place) > 0);
        holders.map(|(_, process)| process.holder()).collect()
    }

    /// How many permits the process at a place has.
    #[inline]
    fn count_at(&self, place: usize) -> &AtomicU64 {
        &self.numbers()[place + 1]
    }

    #[inline]
    fn permits_at(&self, place: usize) -> u64 {
        self.count_at(place).load(Ordering::SeqCst)
    }

    /// Not 0 if the permits have to be counted.
    #[inline]
    fn stale(&self) -> &AtomicU32 {
        &self.memory.words()[words::NOTE]
    }

    /// Notified when a permit is free again.
    #[inline]
    pub(crate) fn freed(&self) -> EventCount<'_> {
        EventCount::of(&self.memory, words::MONITOR_EVENTCOUNTS.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_finds_no_dead_process_wakes_no_waiter() {
        let permits = Permits::make(1).unwrap();
        assert!(permits.take(WaitUntil::Try).unwrap());
        let seen = permits.freed().prepare_wait();
        assert!(!permits.release_dead(true, SOON).unwrap());
        assert_eq!(permits.freed().prepare_wait(), seen, "it was notified");
        permits.release();
        assert_ne!(permits.freed().prepare_wait(), seen);
        assert_eq!(permits.free().unwrap(), 1);
    }
}

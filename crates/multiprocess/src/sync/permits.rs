//! The permits of a semaphore, in shared memory.
//!
//! A permit is taken without a lock: the process adds one to its own number of permits, and then takes one from the
//! free ones. If it is killed between the two, or with permits, its number shows them: another process clears that
//! number, and counts the free permits again. Counting has a version. A thread that takes or releases a permit and then
//! sees another version can't know whether it was counted, and has the permits counted once more.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytemuck::cast;

use crate::errors::error::Error;
use crate::errors::holder::Holder;
use crate::memory::eventcount::EventCount;
use crate::memory::layout::{Access, words};
use crate::memory::liveness::UniquePid;
use crate::memory::slot::Slot;
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::table::{Table, next_check};
use crate::sync::typed_memory::{Layout, create};

#[derive(Clone, Debug)]
pub(crate) struct Permits {
    pub(crate) memory: Arc<Slot>,
    /// The number of permits, free or taken.
    pub(crate) all: u32,
    table: Table,
    /// The place of this process in the table.
    place: OnceLock<usize>,
}

// The numbers: the state, and the table of the processes that use the semaphore, each with the number of its permits.
const STATE: usize = 0;
const TABLE: usize = 1;

/// How many processes can use a semaphore before it needs more memory.
const FEW_PROCESSES: usize = 7;

/// The maximum number of processes that can use a semaphore at a time; another one waits as if all permits were taken.
const MAX_PROCESSES: usize = 1024;

/// The turn of the process that removes others from the table, or counts.
const TURN: usize = 0;

/// How many permits are free, and the version, which is odd while they are counted.
type State = [u32; 2];

#[inline]
fn is_counting([_, version]: State) -> bool {
    version % 2 == 1
}

impl Permits {
    /// Creates permits, all free. `what` is their name in errors.
    pub(crate) fn make(all: u32, what: &str) -> Result<Permits, Error> {
        let numbers = TABLE + 2 * FEW_PROCESSES;
        let layout = Layout {
            locks: 1,
            words: 1,
            access: Access::Atomic,
        };
        let memory = create::<u64>(numbers, layout, || what.to_owned())?;
        let permits = Permits::of(memory, all);
        permits.set_state([all, 0]);
        Ok(permits)
    }

    pub(crate) fn of(memory: Arc<Slot>, all: u32) -> Permits {
        Permits {
            table: Table::of(&memory, TABLE, MAX_PROCESSES),
            memory,
            all,
            place: OnceLock::new(),
        }
    }

    /// Takes a permit if one is free and nothing else has to be done for it.
    #[inline]
    pub(crate) fn take_at_once(&self) -> bool {
        let count = self.own_count();
        count.is_some_and(|count| self.take_free(count) == Some(true))
    }

    /// Returns the number of free permits, including those of dead processes.
    pub(crate) fn free(&self) -> Result<u32, Refused> {
        self.recover(|_| true, WaitUntil::Until(None))?;
        Ok(self.state()[0])
    }

    /// Waits for a permit and takes it; returns false after a timeout.
    pub(crate) fn take(&self, limit: WaitUntil) -> Result<bool, Refused> {
        let mut next_look = next_check();
        let mut looks = 0;
        loop {
            let place = self.place()?;
            let count = place.map(|place| self.count_at(place));
            match count.map_or(Some(false), |count| self.take_free(count)) {
                Some(true) => return Ok(true),
                None if self.count()? => continue,
                _ => {}
            }
            let over = limit.is_over();
            if over || Instant::now() >= next_look {
                looks += 1;
                // Those without permits rarely matter.
                let is_asked = |place| looks % 10 == 0 || self.has_permits(place);
                match self.recover(is_asked, WaitUntil::Try) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    // Another process is looking.
                    Err(Refused::Busy) if !over => {}
                    Err(refused) => return Err(refused),
                }
                next_look = next_check();
            }
            if over {
                return Ok(false);
            }
            let seen = self.freed().prepare_wait();
            // Pairs with the fence in `notify`.
            fence(Ordering::SeqCst);
            if place.is_none() || self.state()[0] == 0 {
                let until = limit.deadline().map_or(next_look, |end| end.min(next_look));
                self.freed().wait_while(seen, until);
            }
        }
    }

    /// Takes a permit if one is free, and counts it; `None` if the permits have to be counted.
    #[inline]
    fn take_free(&self, count: &AtomicU64) -> Option<bool> {
        let seen = self.state();
        if is_counting(seen) {
            return None;
        }
        if seen[0] == 0 {
            return Some(false);
        }
        count.fetch_add(1, Ordering::SeqCst);
        if self.change_free(seen, |free| free.checked_sub(1)) {
            return Some(true);
        }
        count.fetch_sub(1, Ordering::SeqCst);
        if self.state()[1] == seen[1] {
            return Some(false);
        }
        self.stale().store(1, Ordering::SeqCst);
        None
    }

    /// Releases a permit of this process.
    #[inline]
    pub(crate) fn release(&self) {
        // A copy made by `fork` may have released it.
        let Some(count) = self.own_count() else {
            return;
        };
        if count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let seen = self.state();
        // Before the next store: if the process is killed between the two, its death has the permits counted.
        let freed = !is_counting(seen) && self.change_free(seen, |free| free.checked_add(1));
        count.fetch_sub(1, Ordering::SeqCst);
        if !freed || self.state()[1] != seen[1] {
            self.stale().store(1, Ordering::SeqCst);
            // If another process has the turn, that one counts, or the next that waits.
            let _ = self.count();
        }
        self.freed().notify_one();
    }

    /// Changes the number of free permits; returns false if it can't be changed so, or there is another version.
    #[inline]
    fn change_free(&self, [_, version]: State, change: impl Fn(u32) -> Option<u32>) -> bool {
        let change = |now| {
            let [free, current] = cast(now);
            let free = change(free).filter(|_| current == version);
            free.map(|free| cast([free, version]))
        };
        let order = Ordering::SeqCst;
        let changed = self.numbers()[STATE].fetch_update(order, order, change);
        changed.is_ok()
    }

    /// Has the permits counted if they have to be; returns false if another process is doing that.
    fn count(&self) -> Result<bool, Refused> {
        match self.recover(|_| false, WaitUntil::Try) {
            Err(Refused::Busy) => Ok(false),
            counted => counted.map(|_| true),
        }
    }

    /// Releases the permits of dead processes, among those whose place `is_asked`, and counts the free permits if they
    /// have to be counted; returns whether it did. If this process is killed meanwhile, the next one starts again. `Try`
    /// waits a moment for another process that does this, which takes longer only if it was stopped.
    fn recover(&self, is_asked: impl Fn(usize) -> bool, limit: WaitUntil) -> Result<bool, Refused> {
        self.memory.check_process()?;
        let _turn = self.memory.turn(TURN, limit.for_a_turn())?;
        let dead = self.table.dead(is_asked);
        if !dead.is_empty() {
            // Before counting, so that they are counted even if this process is killed now.
            self.stale().store(1, Ordering::SeqCst);
        }
        for (place, process) in dead {
            self.count_at(place).store(0, Ordering::SeqCst);
            self.table.remove(place, process);
        }
        let mut has_counted = false;
        // Again if another process requests it meanwhile.
        while is_counting(self.state()) || self.stale().load(Ordering::SeqCst) != 0 {
            let [_, version] = self.state();
            let counting = version.wrapping_add(1) | 1;
            self.set_state([0, counting]);
            // Only now: a process that finds the next version requests it again.
            self.stale().store(0, Ordering::SeqCst);
            let count = |(place, _)| self.count_at(place).load(Ordering::SeqCst);
            let held: u64 = self.table.processes().map(count).sum();
            let held = u32::try_from(held).unwrap_or(u32::MAX);
            self.set_state([self.all.saturating_sub(held), counting.wrapping_add(1)]);
            has_counted = true;
        }
        if has_counted {
            self.freed().notify_all();
        }
        Ok(has_counted)
    }

    /// Returns the place of this process in the table, if it has taken one.
    fn known_place(&self) -> Option<usize> {
        let place = *self.place.get()?;
        self.table.has(place, UniquePid::own()).then_some(place)
    }

    /// Returns the number of permits of this process, if it has a place.
    #[inline]
    fn own_count(&self) -> Option<&AtomicU64> {
        let [process, count] = self.table.at(*self.place.get()?);
        let is_own = process.load(Ordering::Relaxed) == UniquePid::own().number();
        is_own.then_some(count)
    }

    /// Returns the place of this process, or takes one; `None` if all are taken.
    fn place(&self) -> Result<Option<usize>, Refused> {
        if let Some(place) = self.known_place() {
            return Ok(Some(place));
        }
        self.memory.check_process()?;
        let (table, me) = (&self.table, UniquePid::own());
        let mut place = table.place_of(me).or_else(|| table.take_place());
        if place.is_none() && self.recover(|_| true, WaitUntil::Try).is_ok() {
            place = table.take_place();
        }
        if place.is_none() && table.extend() {
            place = table.take_place();
        }
        // All threads of the process use one place, also if several have just taken one.
        Ok(place.map(|place| *self.place.get_or_init(|| place)))
    }

    #[inline]
    fn numbers(&self) -> &[AtomicU64] {
        self.memory.atomics()
    }

    #[inline]
    fn state(&self) -> State {
        cast(self.numbers()[STATE].load(Ordering::SeqCst))
    }

    #[inline]
    fn set_state(&self, state: State) {
        self.numbers()[STATE].store(cast(state), Ordering::SeqCst);
    }

    /// Returns the processes that have permits.
    pub(crate) fn holders(&self) -> Vec<Holder> {
        let holders = self.table.processes();
        let holders = holders.filter(|(at, _)| self.has_permits(*at));
        holders.map(|(_, it)| Holder::of(it.pid())).collect()
    }

    /// Returns the number of permits of the process at a place.
    #[inline]
    fn count_at(&self, place: usize) -> &AtomicU64 {
        self.table.number(place)
    }

    #[inline]
    fn has_permits(&self, place: usize) -> bool {
        self.count_at(place).load(Ordering::SeqCst) > 0
    }

    /// Not 0 if the permits have to be counted.
    #[inline]
    fn stale(&self) -> &AtomicU32 {
        &self.memory.words()[words::STALE]
    }

    /// Notified when a permit is free again.
    #[inline]
    pub(crate) fn freed(&self) -> EventCount<'_> {
        EventCount::of(&self.memory, words::EVENTCOUNT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_finds_no_dead_process_wakes_no_waiter() {
        let permits = Permits::make(1, "permits").unwrap();
        assert!(permits.take(WaitUntil::Try).unwrap());
        let seen = permits.freed().prepare_wait();
        assert!(!permits.recover(|_| true, WaitUntil::Try).unwrap());
        assert_eq!(permits.freed().prepare_wait(), seen, "it was notified");
        permits.release();
        assert_ne!(permits.freed().prepare_wait(), seen);
        assert_eq!(permits.free().unwrap(), 1);
    }
}

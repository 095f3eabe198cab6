//! The table of the processes that share something, in its memory; and how often a waiter checks whether they are dead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::memory::layout::{Access, Content};
use crate::memory::liveness::UniquePid;
use crate::memory::slot::Slot;

/// How long a waiter sleeps before it checks for dead processes.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Returns when a waiter that begins to wait, or has just checked for dead processes, checks for them again. Signals
/// may wake it more often.
pub(crate) fn next_check() -> Instant {
    Instant::now() + CHECK_INTERVAL
}

/// Processes in shared memory, each with a place of two numbers. The first is the process, or 0 if the place is free; the
/// second is for the user of the table. The first few places are behind the other numbers of a slot, up to its end; the
/// others are in a part of it, which is made when it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    slot: Arc<Slot>,
    /// The index of the first of the slot's numbers that belongs to the table.
    first: usize,
    /// The maximum number of places.
    most: usize,
    more: OnceLock<Arc<Slot>>,
}

impl Table {
    pub(crate) fn of(slot: &Arc<Slot>, first: usize, most: usize) -> Table {
        Table {
            slot: Arc::clone(slot),
            first,
            most,
            more: OnceLock::new(),
        }
    }

    /// Returns the numbers of the first places.
    #[inline]
    fn few(&self) -> &[AtomicU64] {
        &self.slot.numbers()[self.first..]
    }

    /// Returns the numbers of the other places, if there are any.
    fn more(&self) -> &[AtomicU64] {
        if self.more.get().is_none()
            && let Ok(Some(part)) = self.slot.part(Access::Table)
        {
            let _ = self.more.set(part);
        }
        self.more.get().map_or(&[], |part| part.numbers())
    }

    /// Makes the other places, if they aren't there: when no dead process has one that could be freed. Returns whether
    /// there are some.
    pub(crate) fn extend(&self) -> bool {
        let few = self.few().len() / 2;
        let length = self.most.saturating_sub(few) * 2 * size_of::<u64>();
        let access = Access::Table;
        if self.more().is_empty() && length > 0 {
            // Two processes may do this at once; both use the same part then.
            let _ = self.slot.add_part(Content { length, access });
        }
        !self.more().is_empty()
    }

    /// Returns the two numbers of a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> &[AtomicU64; 2] {
        let first = self.first + 2 * place;
        match self
            .slot
            .numbers()
            .get(first..)
            .and_then(<[_]>::first_chunk)
        {
            Some(numbers) => numbers,
            None => self.at_more(place),
        }
    }

    #[cold]
    fn at_more(&self, place: usize) -> &[AtomicU64; 2] {
        let first = 2 * place - self.few().len();
        let numbers = self.more()[first..].first_chunk();
        numbers.expect("the place is in the table")
    }

    /// Returns the number for the user at a place.
    #[inline]
    pub(crate) fn number(&self, place: usize) -> &AtomicU64 {
        &self.at(place)[1]
    }

    fn places(&self) -> impl Iterator<Item = (usize, &AtomicU64)> {
        let numbers = self.few().iter().chain(self.more());
        numbers.step_by(2).enumerate()
    }

    fn find(&self, is_it: impl Fn(&AtomicU64) -> bool) -> Option<usize> {
        let place = self.places().find(|(_, process)| is_it(process));
        place.map(|(place, _)| place)
    }

    /// Returns whether the process has the place.
    #[inline]
    pub(crate) fn has(&self, place: usize, process: UniquePid) -> bool {
        self.at(place)[0].load(Ordering::Relaxed) == process.number()
    }

    pub(crate) fn place_of(&self, process: UniquePid) -> Option<usize> {
        self.find(|number| number.load(Ordering::SeqCst) == process.number())
    }

    /// Returns a free place, which stays free if the caller keeps others from taking one.
    pub(crate) fn free_place(&self) -> Option<usize> {
        self.find(|number| number.load(Ordering::SeqCst) == 0)
    }

    /// Takes a place that is free, for this process.
    pub(crate) fn take(&self, place: usize) {
        let me = UniquePid::own().number();
        self.at(place)[0].store(me, Ordering::SeqCst);
    }

    /// Takes a free place for this process.
    pub(crate) fn take_place(&self) -> Option<usize> {
        let (me, order) = (UniquePid::own().number(), Ordering::SeqCst);
        self.find(|number| number.compare_exchange(0, me, order, order).is_ok())
    }

    /// Frees the place of a process, if that still has it.
    pub(crate) fn remove(&self, place: usize, process: UniquePid) {
        let (old, order) = (process.number(), Ordering::SeqCst);
        let _ = self.at(place)[0].compare_exchange(old, 0, order, order);
    }

    /// Returns the processes, with their places.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (usize, UniquePid)> {
        let number = |number: &AtomicU64| UniquePid::from_number(number.load(Ordering::SeqCst));
        self.places()
            .filter_map(move |(place, process)| Some((place, number(process)?)))
    }

    /// Returns the processes that died with a place that `is_asked`.
    pub(crate) fn dead(&self, is_asked: impl Fn(usize) -> bool) -> Vec<(usize, UniquePid)> {
        let mut dead: Vec<_> = self.processes().collect();
        dead.retain(|(place, it)| is_asked(*place) && it.has_ended(self.slot.run()));
        // A process may have left its place before it ended.
        dead.retain(|known| self.processes().any(|now| now == *known));
        dead
    }
}

//! The table of the processes that share something, in its memory; and how often a waiter checks whether they are dead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::memory::liveness::UniquePid;
use crate::memory::segment::Segment;

/// How long a waiter sleeps before it checks for dead processes.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Returns when a waiter that begins to wait, or has just checked for dead processes, checks for them again. Signals
/// may wake it more often.
pub(crate) fn next_check() -> Instant {
    Instant::now() + CHECK_INTERVAL
}

/// Processes in shared memory. From a given number to the end, each has a place of two numbers. The first is the
/// process, or 0 if the place is free; the second is for the user of the table.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    memory: &'a Segment,
    first: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn of(memory: &'a Segment, first: usize) -> Table<'a> {
        Table { memory, first }
    }

    fn places(self) -> impl Iterator<Item = (usize, &'a AtomicU64)> {
        let places = self.memory.atomics()[self.first..].iter().step_by(2);
        (self.first..).step_by(2).zip(places)
    }

    fn find(self, is_it: impl Fn(&AtomicU64) -> bool) -> Option<usize> {
        let place = self.places().find(|(_, process)| is_it(process));
        place.map(|(place, _)| place)
    }

    /// Returns the place of the process with that number; of 0, a free place.
    pub(crate) fn place_of(self, process: u64) -> Option<usize> {
        self.find(|number| number.load(Ordering::SeqCst) == process)
    }

    /// Takes a free place for this process.
    pub(crate) fn take_place(self) -> Option<usize> {
        let (me, order) = (UniquePid::own().number(), Ordering::SeqCst);
        self.find(|number| number.compare_exchange(0, me, order, order).is_ok())
    }

    /// Frees the place of a process, if that still has it.
    pub(crate) fn remove(self, place: usize, process: UniquePid) {
        let number: &AtomicU64 = &self.memory.atomics()[place];
        let (old, order) = (process.number(), Ordering::SeqCst);
        let _ = number.compare_exchange(old, 0, order, order);
    }

    /// Returns the processes, with their places.
    pub(crate) fn processes(self) -> impl Iterator<Item = (usize, UniquePid)> {
        let number = |number: &AtomicU64| UniquePid::from_number(number.load(Ordering::SeqCst));
        self.places()
            .filter_map(move |(place, process)| Some((place, number(process)?)))
    }

    /// Returns the processes that died with a place that `is_asked`.
    pub(crate) fn dead(self, is_asked: impl Fn(usize) -> bool) -> Vec<(usize, UniquePid)> {
        let mut dead: Vec<_> = self.processes().collect();
        dead.retain(|(place, it)| is_asked(*place) && it.has_ended(self.memory.run()));
        // A process may have left its place before it ended.
        dead.retain(|known| self.processes().any(|now| now == *known));
        dead
    }
}

//! The monitor: numbers that processes share, change under a lock, and wait for. The barrier and the condition
//! are built on it.
//!
//! It survives the death of any process: a change happens wholly or not at all (`redo_log`), the lock becomes free when
//! its holder dies, and a waiter also checks from time to time, because the process that should wake it may be dead.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::{MOMENT, WaitUntil};
use crate::sync::locking::refusal;
use crate::sync::redo_log;
use crate::sync::typed_memory::create;

/// How long a waiter sleeps before it checks for dead processes.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The number of eventcounts of a monitor.
pub(crate) const EVENTCOUNTS: usize = words::MONITOR_EVENTCOUNTS.end / 2;

/// Shared numbers, their lock, and eventcounts for threads that wait for a change.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    memory: Arc<Segment>,
    /// Its name in errors.
    what: &'static str,
}

impl Monitor {
    /// Makes `numbers` numbers, all 0.
    pub(crate) fn new(numbers: usize, what: &'static str) -> Result<Monitor> {
        let numbers = numbers.saturating_add(redo_log::ROOM);
        let memory = create::<u64>(numbers, Access::Locked, || what.to_owned())?;
        Ok(Monitor::of(memory, what))
    }

    pub(crate) fn of(memory: Arc<Segment>, what: &'static str) -> Monitor {
        Monitor { memory, what }
    }

    /// Locks the numbers.
    pub(crate) fn enter(&self) -> Result<Numbers<'_>> {
        self.lock(None)
            .map_err(|refused| self.refusal(refused, None))
    }

    /// Locks the numbers before a deadline; even when that has passed, waits a [`MOMENT`] for another that holds them.
    pub(crate) fn lock(&self, deadline: Option<Instant>) -> Result<Numbers<'_>, Refused> {
        let deadline = deadline.map(|deadline| deadline.max(Instant::now() + MOMENT));
        self.memory
            .lock(WaitUntil::Until(deadline))
            .map(Numbers::new)
    }

    pub(crate) fn refusal(&self, refused: Refused, limit: Option<Duration>) -> Error {
        refusal(refused, &self.memory, self.what.to_owned(), limit)
    }

    /// Returns one of the [`EVENTCOUNTS`].
    pub(crate) fn eventcount(&self, which: usize) -> EventCount<'_> {
        EventCount::of(&self.memory, words::MONITOR_EVENTCOUNTS.start + 2 * which)
    }

    /// Unlocks the numbers, which were looked at in vain, and waits until an eventcount is notified, or it is time to
    /// check for dead processes, or the deadline has passed; returns whether it is time to check.
    pub(crate) fn wait(
        &self,
        numbers: Numbers<'_>,
        which: usize,
        deadline: Option<Instant>,
    ) -> bool {
        // Still under the lock: a thread that changes the numbers later knows of this one.
        let seen = self.eventcount(which).prepare_wait();
        drop(numbers);
        let until = next_check(deadline);
        self.eventcount(which).wait_while(seen, until);
        Instant::now() >= until
    }

    /// Returns a number that can be read and written without the lock.
    pub(crate) fn note(&self) -> &AtomicU32 {
        &self.memory.words()[words::NOTE]
    }

    pub(crate) fn memory(&self) -> &Arc<Segment> {
        &self.memory
    }

    pub(crate) fn run(&self) -> Run {
        self.memory.run()
    }
}

/// Returns when a waiter that sleeps now checks for dead processes, or the deadline if that is earlier.
pub(crate) fn next_check(deadline: Option<Instant>) -> Instant {
    let check = Instant::now() + CHECK_INTERVAL;
    deadline.map_or(check, |deadline| deadline.min(check))
}

/// The numbers of a [`Monitor`], locked.
pub(crate) struct Numbers<'a>(SegmentGuard<'a>);

impl<'a> Numbers<'a> {
    pub(crate) fn new(held: SegmentGuard<'a>) -> Numbers<'a> {
        let mut numbers = Numbers(held);
        let complete = numbers.complete();
        redo_log::finish(numbers.memory(), complete);
        numbers
    }

    fn complete(&self) -> &'a AtomicU32 {
        &self.0.segment().words()[words::COMPLETE]
    }

    fn memory(&mut self) -> &mut [u64] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    /// Returns all numbers.
    pub(crate) fn all(&self) -> &[u64] {
        &bytemuck::cast_slice(&self.0)[redo_log::ROOM..]
    }

    pub(crate) fn get(&self, place: usize) -> u64 {
        self.all()[place]
    }

    /// Sets numbers, given by their places, in one step: all of them or, if this process is killed, none.
    pub(crate) fn change(&mut self, changes: &[(usize, u64)]) {
        let complete = self.complete();
        redo_log::change(self.memory(), complete, changes);
    }
}

/// Processes in the numbers of a monitor: from a number on, each has a place of `SIZE` numbers. The first is the
/// process, or 0 if the place is free.
#[derive(Clone, Copy)]
pub(crate) struct Table<const SIZE: usize>(pub(crate) usize);

impl<const SIZE: usize> Table<SIZE> {
    fn places(self, numbers: &[u64]) -> impl Iterator<Item = (usize, u64)> {
        let places = numbers[self.0..].chunks_exact(SIZE).enumerate();
        places.map(move |(index, place)| (self.0 + SIZE * index, place[0]))
    }

    /// Returns the place of the process with that number; of 0, a free place.
    pub(crate) fn place_of(self, numbers: &[u64], process: u64) -> Option<usize> {
        let mut places = self.places(numbers);
        places.find_map(|(place, number)| (number == process).then_some(place))
    }

    /// Returns the processes, with their places.
    pub(crate) fn processes(self, numbers: &[u64]) -> impl Iterator<Item = (usize, UniquePid)> {
        self.places(numbers)
            .filter_map(|(place, number)| Some((place, UniquePid::from_number(number)?)))
    }

    /// Returns the processes that are dead, with their places.
    pub(crate) fn dead(self, numbers: &[u64], run: Run) -> Vec<(usize, UniquePid)> {
        let mut processes: Vec<_> = self.processes(numbers).collect();
        processes.retain(|(_, process)| process.has_ended(run));
        processes
    }
}

//! The monitor: numbers that processes share, change under a lock, and wait for. The semaphore, the barrier and the
//! condition are built on it.
//!
//! It survives the death of any process: a change happens wholly or not at all (`redo_log`), the lock becomes free when
//! its holder dies, and a waiter also checks from time to time, because the process that should wake it may be dead.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::name::Run;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::{MOMENT, WaitUntil};
use crate::sync::redo_log;

/// How long a waiter sleeps before it checks for dead processes.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The number of eventcounts of a monitor.
pub(crate) const EVENTCOUNTS: usize = words::MONITOR_EVENTCOUNTS.end / 2;

/// Shared numbers, their lock, and eventcounts for threads that wait for a change.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    segment: Arc<Segment>,
    /// Its name in errors.
    what: &'static str,
}

impl Monitor {
    /// Makes `numbers` numbers, all 0.
    pub(crate) fn new(numbers: usize, what: &'static str) -> Result<Monitor> {
        let bytes = numbers
            .saturating_add(redo_log::ROOM)
            .saturating_mul(size_of::<u64>());
        let segment = Segment::create(bytes, Access::Locked);
        let segment = segment.map_err(|source| Error::memory(what, source))?;
        Ok(Monitor::of(segment, what))
    }

    pub(crate) fn of(segment: Arc<Segment>, what: &'static str) -> Monitor {
        Monitor { segment, what }
    }

    /// Locks the numbers.
    pub(crate) fn enter(&self) -> Result<Numbers<'_>> {
        self.lock(None)
            .map_err(|refused| self.refusal(refused, None))
    }

    pub(crate) fn lock(&self, deadline: Option<Instant>) -> Result<Numbers<'_>, Refused> {
        Ok(Numbers::new(
            &self.segment,
            self.segment.lock(WaitUntil::Until(deadline))?,
        ))
    }

    /// Locks the numbers at the end of a wait: even when the deadline has passed, it waits a [`MOMENT`] for another
    /// that holds them.
    pub(crate) fn lock_before(&self, deadline: Option<Instant>) -> Result<Numbers<'_>, Refused> {
        self.lock(deadline.map(|deadline| deadline.max(Instant::now() + MOMENT)))
    }

    pub(crate) fn try_lock(&self) -> Result<Numbers<'_>, Refused> {
        Ok(Numbers::new(
            &self.segment,
            self.segment.lock(WaitUntil::Try)?,
        ))
    }

    pub(crate) fn refusal(&self, refused: Refused, limit: Option<Duration>) -> Error {
        crate::sync::lock::refusal(refused, &self.segment, self.what.to_owned(), limit)
    }

    /// Returns one of the [`EVENTCOUNTS`]. A thread prepares to wait when it has looked at the numbers in vain and
    /// still has them locked, so a thread that changes them later knows of it.
    pub(crate) fn eventcount(&self, which: usize) -> EventCount<'_> {
        EventCount::of(&self.segment, words::MONITOR_EVENTCOUNTS.start + 2 * which)
    }

    /// Waits until an eventcount is notified, or it is time to check for dead processes, or the deadline has passed;
    /// returns whether it is time to check. `seen` is what [`EventCount::prepare_wait`] returned.
    pub(crate) fn wait(&self, which: usize, seen: u32, deadline: Option<Instant>) -> bool {
        let check = Instant::now() + CHECK_INTERVAL;
        let until = deadline.map_or(check, |deadline| deadline.min(check));
        self.eventcount(which).wait_while(seen, until);
        Instant::now() >= until
    }

    /// Returns a number that can be read and written without the lock.
    pub(crate) fn note(&self) -> &AtomicU32 {
        &self.segment.words()[words::NOTE]
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    pub(crate) fn run(&self) -> Run {
        self.segment.run()
    }
}

/// The numbers of a [`Monitor`], locked.
pub(crate) struct Numbers<'a> {
    held: SegmentGuard<'a>,
    complete: &'a AtomicU32,
}

impl<'a> Numbers<'a> {
    fn new(segment: &'a Segment, mut held: SegmentGuard<'a>) -> Numbers<'a> {
        let complete = &segment.words()[words::COMPLETE];
        redo_log::finish(bytemuck::cast_slice_mut(&mut held), complete);
        Numbers { held, complete }
    }

    /// Returns all numbers.
    pub(crate) fn all(&self) -> &[u64] {
        &bytemuck::cast_slice(&self.held)[redo_log::ROOM..]
    }

    pub(crate) fn get(&self, place: usize) -> u64 {
        self.all()[place]
    }

    /// Sets numbers, given by their places, in one step: all of them or, if this process is killed, none.
    pub(crate) fn change(&mut self, changes: &[(usize, u64)]) {
        let memory = bytemuck::cast_slice_mut(&mut self.held);
        redo_log::change(memory, self.complete, changes);
    }

    /// Sets a number while no other process knows of it.
    pub(crate) fn set(&mut self, place: usize, number: u64) {
        bytemuck::cast_slice_mut(&mut self.held)[redo_log::ROOM + place] = number;
    }
}

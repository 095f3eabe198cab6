//! What each worker is doing, kept in shared memory, where it can be read after the worker's death.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::errors::error::{Error, Result};
use crate::memory::segment::{Access, Segment};
use crate::process::batch::Step;
use crate::transfer::handle::handle;

/// For each place of a pool: which call its worker is in the middle of.
#[derive(Clone)]
pub(crate) struct ProgressCells(Arc<Segment>);

/// The content of the segment, as errors name it.
const CONTENT: &str = "the progress cells of a Pool";

/// Numbers between one place and the next: two workers don't write to the same cache line.
const APART: usize = 8;

impl ProgressCells {
    pub(crate) fn new(workers: usize) -> Result<ProgressCells> {
        let bytes = workers.saturating_mul(APART * size_of::<u64>());
        let segment = Segment::create(bytes, Access::Atomic);
        let segment = segment.map_err(|source| Error::memory(CONTENT, source))?;
        Ok(ProgressCells(segment))
    }

    fn entry(&self, place: u32) -> &AtomicU64 {
        &self.0.atomics()[place as usize * APART]
    }

    /// Returns the cell of one worker.
    pub(crate) fn cell(&self, place: u32) -> Cell<'_> {
        Cell(self.entry(place))
    }

    /// Returns the batch that the worker began last, and where in it it is; behind the last call when all are done.
    pub(crate) fn read(&self, place: u32) -> (u32, Step) {
        let entry = self.entry(place).load(Ordering::Relaxed);
        let half = |number: u64| u32::try_from(number).expect("half of 64 bits");
        let step = half(entry & u64::from(u32::MAX));
        (half(entry >> 32), Step(step))
    }

    /// Forgets what a worker did, before another takes its place.
    pub(crate) fn clear(&self, place: u32) {
        self.entry(place).store(0, Ordering::Relaxed);
    }
}

/// Where one worker writes.
pub(crate) struct Cell<'a>(&'a AtomicU64);

impl Cell<'_> {
    #[inline]
    pub(crate) fn write(&self, batch: u32, step: Step) {
        let entry = u64::from(batch) << 32 | u64::from(step.0);
        self.0.store(entry, Ordering::Relaxed);
    }
}

handle!(
    ProgressCells,
    CONTENT,
    |cells| Ok((&cells.0, ())),
    |segment, ()| Ok(ProgressCells(segment)),
);

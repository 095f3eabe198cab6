//! Records in shared memory what each worker is doing, so that it can be read after the worker's death.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::errors::error::{Error, Result};
use crate::memory::layout::{Access, Content};
use crate::memory::slot::Slot;
use crate::transfer::handle::handle;

/// For each place of a pool: which call its worker is in the middle of.
#[derive(Clone)]
pub(crate) struct ProgressCells(Arc<Slot>);

const CONTENT: &str = "the progress cells of a Pool";

/// The distance between two places: two workers don't write to the same cache line.
const APART: usize = 8;

impl ProgressCells {
    pub(crate) fn new(workers: usize) -> Result<ProgressCells> {
        let content = Content {
            length: workers.saturating_mul(APART * size_of::<u64>()),
            access: Access::Atomic,
        };
        let slot = Slot::create(0, 0, content);
        let slot = slot.map_err(|source| Error::memory(CONTENT, source))?;
        Ok(ProgressCells(slot))
    }

    pub(crate) fn cell(&self, place: usize) -> Cell<'_> {
        Cell(&self.0.numbers()[place * APART])
    }
}

/// Where one worker writes, in two halves: the batch; and twice the call, and one more when its input was read.
pub(crate) struct Cell<'a>(&'a AtomicU64);

impl Cell<'_> {
    #[inline]
    pub(crate) fn write(&self, batch: u32, call: u32, has_read: bool) {
        let at = 2 * call + u32::from(has_read);
        self.0.store(bytemuck::cast([batch, at]), Ordering::Release);
    }

    /// The last call of the batch is done.
    pub(crate) fn end_batch(&self) {
        let [batch, at]: [u32; 2] = bytemuck::cast(self.0.load(Ordering::Relaxed));
        self.0
            .store(bytemuck::cast([batch, at + 2]), Ordering::Release);
    }

    /// Returns the batch that the worker began last, and the call, or the number of all calls when all are done; and
    /// whether it has read the last input that it began to read, so that the handles in it have arrived.
    pub(crate) fn read(&self) -> (u32, u32, bool) {
        let [batch, at] = bytemuck::cast(self.0.load(Ordering::Acquire));
        (batch, at / 2, at % 2 == 1)
    }
}

handle!(
    ProgressCells,
    CONTENT,
    |cells| Ok((&cells.0, ())),
    |slot, ()| Ok(ProgressCells(slot)),
);

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

    /// Returns the cell of one worker.
    pub(crate) fn cell(&self, place: u32) -> Cell<'_> {
        let words = &self.0.atomics()[place as usize * APART..];
        Cell {
            position: &words[0],
            unreadable: &words[1],
        }
    }
}

/// Where one worker writes.
pub(crate) struct Cell<'a> {
    /// The batch in the upper half; in the lower one twice the call, and one more when its input was read.
    position: &'a AtomicU64,
    /// One bit for each input that it could not read.
    unreadable: &'a AtomicU64,
}

/// What is known of a worker that has died.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    /// The batch that it began last.
    pub(crate) batch: u32,
    /// The call that it began last; the number of all calls when all are done.
    pub(crate) call: u32,
    /// How many inputs it has read, or tried to read.
    pub(crate) inputs_read: u32,
    unreadable: u64,
}

/// Inputs in a batch of which it is known whether they were unreadable; of those behind them it is known of the last.
pub(crate) const KNOWN_INPUTS: u32 = u64::BITS - 1;

fn bit(input: u32) -> u64 {
    1 << input.min(KNOWN_INPUTS)
}

impl Position {
    /// Returns whether the worker has read the input, and the handles in it have arrived.
    pub(crate) fn has_read(self, input: u32) -> bool {
        input < self.inputs_read && self.unreadable & bit(input) == 0
    }
}

impl Cell<'_> {
    #[inline]
    pub(crate) fn write(&self, batch: u32, step: Step) {
        let at = match step {
            Step::Begin(call) => {
                if call == 0 {
                    self.unreadable.store(0, Ordering::Relaxed);
                }
                2 * call
            }
            Step::HaveRead(call) => {
                if call >= KNOWN_INPUTS {
                    self.unreadable.fetch_and(!bit(call), Ordering::Relaxed);
                }
                2 * call + 1
            }
            Step::Unreadable(call) => {
                self.unreadable.fetch_or(bit(call), Ordering::Relaxed);
                return;
            }
        };
        let position = u64::from(batch) << 32 | u64::from(at);
        self.position.store(position, Ordering::Release);
    }

    pub(crate) fn read(&self) -> Position {
        let position = self.position.load(Ordering::Acquire);
        let half = |number: u64| u32::try_from(number).expect("half of 64 bits");
        let at = half(position & u64::from(u32::MAX));
        Position {
            batch: half(position >> 32),
            call: at / 2,
            inputs_read: at.div_ceil(2),
            unreadable: self.unreadable.load(Ordering::Relaxed),
        }
    }
}

handle!(
    ProgressCells,
    CONTENT,
    |cells| Ok((&cells.0, ())),
    |segment, ()| Ok(ProgressCells(segment)),
);

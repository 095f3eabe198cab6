//! What becomes of the batches of a worker that died.

use crate::errors::error::Error;
use crate::errors::task_failure::TaskFailure;
use crate::pool::job::Batch;
use crate::pool::message::{NO_BATCH, WorkerId};
use crate::pool::progress_cells::ProgressCells;
use crate::pool::scheduler::{Scheduler, Worker};
use crate::process::batch::Step;

/// How many workers may die that have taken a batch and not begun it.
const MAX_MISHAPS: u32 = 3;

impl Scheduler {
    /// Takes a dead worker off the scheduler, and sees to the batches that it had: what it was in the middle of has
    /// failed, what it had not begun waits again. All its events have been handled.
    ///
    /// Returns whether it had been ready to work, and how it ended, if not by returning.
    pub(crate) fn remove_dead(
        &mut self,
        worker_id: WorkerId,
        progress_cells: &ProgressCells,
    ) -> Option<(bool, Option<Error>)> {
        let mut worker = self
            .workers
            .get_mut(worker_id.place as usize)?
            .take_if(|worker| worker.id == worker_id)?;
        let mut again: Vec<Batch> = std::iter::from_fn(|| worker.cancel()).collect();
        let cell = progress_cells.cell(worker_id.place);
        let position = cell.read();
        let Worker { handle, has, .. } = worker;
        if position.batch == NO_BATCH && position.has_read {
            worker.setup.commit();
        }
        let death = handle.join().err();
        let ended = || "the worker ended".to_owned();
        let how = &death.as_ref().map_or_else(ended, Error::to_string);
        for (id, mut batch) in has {
            let died_at = if id == position.batch {
                // The handles are in the last input.
                if position.has_read && position.call + 1 >= batch.count {
                    std::mem::take(&mut batch.attachments).commit();
                }
                position.call
            } else {
                batch.mishaps += 1;
                if batch.mishaps < MAX_MISHAPS {
                    again.push(batch);
                    continue;
                }
                // As far as can be known it is the batch that kills workers: it is tried without its first input.
                0
            };
            again.extend(lose(batch, died_at, how));
        }
        // Before another worker takes its place.
        cell.write(NO_BATCH, Step::Begin(0));
        again.sort_by_key(|batch| batch.first);
        for batch in again.into_iter().rev() {
            self.waiting.push_front(batch);
        }
        Some((worker.depth > 0, death))
    }
}

/// Reports to the caller what is lost of a batch whose worker died at one of its calls; later calls are still to do.
fn lose(mut batch: Batch, call: u32, how: &str) -> Option<Batch> {
    // Of a single input it is known that the worker had it, also if the worker died between the end of the call and the
    // sending of its result.
    let call = if batch.count == 1 { 0 } else { call };
    let how = how.to_owned();
    let (first, before) = (batch.first, call.min(batch.count) as usize);
    if before > 0 {
        let failure = TaskFailure::Lost { how: how.clone() };
        batch.call.fail(first, before, failure);
    }
    if call < batch.count {
        let failure = TaskFailure::WorkerDied { how };
        batch.call.fail(first + before, 1, failure);
    }
    (call + 1 < batch.count).then(|| {
        batch.skip(call + 1);
        batch
    })
}

//! The workers of a pool, and which of them has which batch.
//!
//! A worker has a few batches ahead of the one that it works at, so that it never waits for the pool. When nothing else
//! is left for an idle worker, the pool cancels those batches and gives them to that worker. It does the same with all
//! batches of a worker that doesn't begin any.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::errors::error::Error;
use crate::errors::task_failure::TaskFailure;
use crate::platform::wait_until::WaitUntil;
use crate::pool::job::{Batch, Job, Phase};
use crate::pool::message::{self, ByteChannel, Event, NO_BATCH, Received, Request};
use crate::pool::progress_cells::ProgressCells;
use crate::process::batch::Results;
use crate::process::join_handle::JoinHandle;
use crate::transfer::attachments::Attachments;

#[derive(Default)]
pub(crate) struct Scheduler {
    pub(crate) phase: Phase,
    pub(crate) workers: Vec<Option<Worker>>,
    pub(crate) waiting: VecDeque<Batch>,
    pub(crate) calls: Vec<Weak<Job>>,
    /// Callers to wake after the scheduler is unlocked.
    pub(crate) woken: Vec<Arc<Job>>,
    /// The number of workers that were started.
    pub(crate) started: u32,
    /// The number of workers that died before they were ready, since the last one that was ready.
    pub(crate) failed_starts: usize,
}

impl Scheduler {
    pub(crate) fn enter(&mut self, call: &Arc<Job>) {
        if self.calls.len() == self.calls.capacity() {
            self.calls.retain(|call| call.strong_count() > 0);
            // So this happens rarely, no matter how many are left.
            self.calls.reserve(self.calls.len() + 16);
        }
        self.calls.push(Arc::downgrade(call));
    }

    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.phase, Phase::Open | Phase::Closed)
    }

    /// Returns whether a pool that was closed has done its work.
    pub(crate) fn is_done(&self) -> bool {
        let feeding = |call: &Weak<Job>| call.upgrade().is_some_and(|call| call.is_feeding());
        self.phase == Phase::Closed && !self.has_batches() && !self.calls.iter().any(feeding)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.workers.iter().all(Option::is_none)
    }

    pub(crate) fn has_batches(&self) -> bool {
        let has = |worker: &Worker| !worker.has.is_empty();
        !self.waiting.is_empty() || self.workers.iter().flatten().any(has)
    }

    /// Gives waiting batches to the workers with the least to do. If none waits, idle workers get those that busy ones
    /// haven't begun.
    pub(crate) fn give_out(&mut self) {
        loop {
            let workers = self.workers.iter_mut().flatten();
            let free =
                workers.filter(|worker| worker.last.is_some() && worker.has.len() < worker.depth);
            let Some(worker) = free.min_by_key(|worker| worker.has.len()) else {
                return;
            };
            if let Some(mut batch) = self.waiting.pop_front() {
                if batch.call.has_ended() {
                    continue;
                }
                match worker.send(&mut batch) {
                    Ok(true) => worker.has.push_back((worker.last_batch, batch)),
                    // It gets nothing until it responds again.
                    Ok(false) => self.waiting.push_front(batch),
                    Err(reason) => {
                        let failure = TaskFailure::UnsendableInput { reason };
                        batch.call.fail(batch.first, batch.count as usize, failure);
                    }
                }
            } else if worker.has.is_empty()
                && let Some(batch) = self.cancel()
            {
                self.waiting.push_back(batch);
            } else {
                return;
            }
        }
    }

    /// Takes a batch from a worker that won't begin it soon.
    fn cancel(&mut self) -> Option<Batch> {
        let workers = self.workers.iter_mut().flatten();
        let mut busy = workers.filter(|worker| worker.has.len() > 1);
        busy.find_map(Worker::cancel)
    }

    /// Cancels the batches of workers that don't begin them, so that others can.
    pub(crate) fn cancel_stuck(&mut self) {
        const STUCK_AFTER: Duration = Duration::from_millis(200);
        for worker in self.workers.iter_mut().flatten() {
            let requests = worker.requests.len();
            let is_stuck = match worker.last {
                // No batch was sent to it yet.
                None => worker.has.is_empty() && requests == 0,
                Some(last) => {
                    let has_begun = worker.has.is_empty() || requests < worker.has.len();
                    !has_begun && last.elapsed() >= STUCK_AFTER
                }
            };
            if !is_stuck {
                continue;
            }
            while let Some(batch) = worker.cancel() {
                self.waiting.push_front(batch);
            }
            // It gets batches again when it responds to this.
            let question = Request::default();
            let put = worker.requests.put(bytes_of(&question), WaitUntil::Try);
            if put == Ok(true) {
                worker.last = None;
            }
        }
    }

    /// Hands the results of a batch to the caller, or notes that a worker is ready to work.
    pub(crate) fn done(&mut self, event: &Event, message: Received) {
        // Long batches don't pile up at one worker.
        const SHORT: Duration = Duration::from_micros(500);
        const VERY_SHORT: Duration = Duration::from_micros(20);
        let mut workers = self.workers.iter_mut().flatten();
        let Some(worker) = workers.find(|worker| worker.number == event.worker) else {
            return;
        };
        worker.last = Some(Instant::now());
        let Some(batch) = worker.remove_batch(event.batch) else {
            worker.depth = 2;
            std::mem::take(&mut worker.setup).commit();
            self.failed_starts = 0;
            return;
        };
        worker.depth = match Duration::from_nanos(event.nanoseconds) {
            took if took < VERY_SHORT => 64,
            took if took < SHORT => 16,
            _ => 2,
        };
        // Before the caller learns of it.
        let results = &message.0[Event::SIZE..];
        if !batch.attachments.is_empty() && !Results(results).first_is_unreadable() {
            batch.attachments.commit();
        }
        if batch.call.complete(&batch, event, message) {
            self.woken.push(batch.call);
        }
    }

    /// Removes a dead worker and handles its batches: the call that it was in the middle of has failed, those that it
    /// hadn't begun wait again. All its events have been handled.
    ///
    /// Returns whether it had been ready to work, and how it ended, unless it returned.
    pub(crate) fn remove_dead(
        &mut self,
        place: usize,
        progress_cells: &ProgressCells,
    ) -> (bool, Option<Error>) {
        // How many workers may die after they took a batch and before they began it.
        const MAX_MISHAPS: u32 = 3;
        let worker = &mut self.workers[place];
        let mut worker = worker.take().expect("a worker that died was there");
        let mut again: Vec<Batch> = std::iter::from_fn(|| worker.cancel()).collect();
        let cell = progress_cells.cell(place);
        let (last_batch, last_call, has_read) = cell.read();
        if last_batch == NO_BATCH && has_read {
            worker.setup.commit();
        }
        let Worker { handle, has, .. } = worker;
        let death = handle.join().err();
        let ended = || "the worker ended".to_owned();
        let how = &death.as_ref().map_or_else(ended, Error::to_string);
        for (id, mut batch) in has {
            let has_begun = id == last_batch;
            if has_begun && has_read {
                batch.attachments.commit();
            }
            batch.mishaps += 1;
            // The handles of one that the worker had taken are gone with it.
            if !has_begun && batch.mishaps < MAX_MISHAPS && batch.attachments.is_empty() {
                again.push(batch);
                continue;
            }
            // A batch that so many workers haven't begun probably kills them: try it without its first input.
            let died_at = if has_begun { last_call } else { 0 };
            if lose(&mut batch, died_at, how) {
                again.push(batch);
            }
        }
        // Before another worker takes its place.
        cell.write(NO_BATCH, 0, false);
        again.sort_by_key(|batch| batch.first);
        for batch in again.into_iter().rev() {
            self.waiting.push_front(batch);
        }
        (worker.depth > 0, death)
    }
}

/// The pool's view of a worker.
pub(crate) struct Worker {
    pub(crate) number: u32,
    pub(crate) handle: JoinHandle<()>,
    /// Its batches; the pool can cancel those that it has not begun.
    pub(crate) requests: ByteChannel,
    /// The handles in the initializer's arguments, until it was called.
    pub(crate) setup: Attachments,
    /// The number of the last batch that was sent to it.
    pub(crate) last_batch: u32,
    /// Its batches by their numbers, oldest first.
    pub(crate) has: VecDeque<(u32, Batch)>,
    /// When a batch was last sent to it, or an event came from it; `None` if it seems to be stopped: it didn't begin a
    /// batch, or nothing could be sent to it.
    pub(crate) last: Option<Instant>,
    /// The maximum number of its batches; 0 before it is ready to work.
    pub(crate) depth: usize,
}

impl Worker {
    /// Sends a batch; returns false if the worker was stopped while it blocks its channel. The error says why it
    /// failed.
    fn send(&mut self, batch: &mut Batch) -> Result<bool, String> {
        self.last_batch = self.last_batch.checked_add(1).unwrap_or(NO_BATCH + 1);
        let request = Request {
            batch: self.last_batch,
            task: batch.call.task,
            count: batch.count,
            first: u32::try_from(batch.first).unwrap_or(u32::MAX),
        };
        batch.bytes[..Request::SIZE].copy_from_slice(bytes_of(&request));
        let requests = &self.requests;
        let put = requests.put_with(&batch.bytes, &batch.attachments, WaitUntil::Try);
        self.last = match put {
            Ok(false) => None,
            Ok(true) if self.has.is_empty() => Some(Instant::now()),
            _ => self.last,
        };
        put
    }

    /// Cancels a batch that the worker hasn't begun, and returns it; `None` if it has begun all.
    pub(crate) fn cancel(&mut self) -> Option<Batch> {
        loop {
            let (message, references) = self.requests.try_get().ok()??;
            let (request, _) = message::read::<Request>(&message)?;
            if let Some(mut batch) = self.remove_batch(request.batch) {
                let had = batch.attachments.references().count();
                if references.references().count() == had {
                    batch.attachments = batch.attachments.taken_back(references);
                    return Some(batch);
                }
                // The worker was killed while it took the batch, and has some of them.
                self.has.push_front((request.batch, batch));
            }
        }
    }

    fn remove_batch(&mut self, id: u32) -> Option<Batch> {
        let place = self.has.iter().position(|&(has, _)| has == id)?;
        self.has.remove(place).map(|(_, batch)| batch)
    }
}

/// Reports to the caller which inputs of a batch are lost, whose worker died at one of its calls; returns whether later
/// calls remain.
fn lose(batch: &mut Batch, call: u32, how: &str) -> bool {
    // A single input counts as the one that the worker had, even if the worker died between the end of the call and
    // sending the result.
    let call = if batch.count == 1 { 0 } else { call };
    let how = || how.to_owned();
    let (first, before) = (batch.first, call.min(batch.count) as usize);
    if before > 0 {
        let failure = TaskFailure::Lost { how: how() };
        batch.call.fail(first, before, failure);
    }
    if call < batch.count {
        let failure = TaskFailure::WorkerDied { how: how() };
        batch.call.fail(first + before, 1, failure);
    }
    let is_left = call + 1 < batch.count;
    if is_left {
        batch.skip(call + 1);
    }
    is_left
}

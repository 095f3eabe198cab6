//! The workers of a pool, and which of them has which batch.
//!
//! A worker has a few batches ahead of the one it works at, so that it never waits for the pool; when nothing else is
//! left for another one that is idle, what it has ahead is taken back and given to that one. So is everything that a
//! worker has when it does not even begin.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytemuck::bytes_of;

use crate::errors::task_failure::TaskFailure;
use crate::pool::job::{Batch, Job, PoolEnd};
use crate::pool::message::{Event, NO_BATCH, Request, WorkerId};
use crate::pool::worker_slot::Worker;

pub(crate) struct Scheduler {
    pub(crate) phase: Phase,
    pub(crate) workers: Vec<Option<Worker>>,
    pub(crate) waiting: VecDeque<Batch>,
    pub(crate) calls: Vec<Weak<Job>>,
    /// At this number of calls, those that are over are removed.
    many_calls: usize,
    last_batch: u32,
    pub(crate) started: u32,
    pub(crate) starts: Starts,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// No new calls; what is under way is done.
    Closed,
    Ended(PoolEnd),
}

/// How the starts of workers went since the last one that went well.
#[derive(Default)]
pub(crate) struct Starts {
    /// Workers that died before they were ready.
    pub(crate) failed: usize,
    pub(crate) failing_since: Option<Instant>,
}

impl Scheduler {
    pub(crate) fn new() -> Scheduler {
        Scheduler {
            phase: Phase::Open,
            workers: Vec::new(),
            waiting: VecDeque::new(),
            calls: Vec::new(),
            many_calls: 0,
            last_batch: NO_BATCH,
            started: 0,
            starts: Starts::default(),
        }
    }

    /// Enters a call, whose batches will be handed in.
    pub(crate) fn enter(&mut self, call: &Arc<Job>) {
        if self.calls.len() >= self.many_calls {
            self.calls.retain(|call| call.strong_count() > 0);
            self.many_calls = 2 * self.calls.len() + 16;
        }
        self.calls.push(Arc::downgrade(call));
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.workers.iter().all(Option::is_none)
    }

    /// Returns whether there are batches to do.
    pub(crate) fn has_batches(&self) -> bool {
        let has = |worker: &Worker| !worker.has.is_empty();
        !self.waiting.is_empty() || self.workers.iter().flatten().any(has)
    }

    /// Returns whether there is anything to do, or may be later.
    pub(crate) fn has_work(&self) -> bool {
        let feeding = |call: &Weak<Job>| call.upgrade().is_some_and(|call| call.is_feeding());
        self.has_batches() || self.calls.iter().any(feeding)
    }

    /// Assigns waiting batches to free workers.
    pub(crate) fn give_out(&mut self) {
        loop {
            if self.waiting.is_empty() {
                return self.share();
            }
            let Some(place) = self.freest_worker() else {
                return;
            };
            if let Some(batch) = self.waiting.pop_front()
                && !batch.call.is_abandoned()
            {
                self.send(place, batch);
            }
        }
    }

    /// Moves batches that busy workers have not begun to idle workers.
    fn share(&mut self) {
        for place in 0..self.workers.len() {
            if self.workers[place].as_ref().is_some_and(Worker::is_idle) {
                let Some(batch) = self.cancel() else {
                    return;
                };
                self.send(place, batch);
            }
        }
    }

    /// Takes a batch from a worker that will not begin it soon.
    fn cancel(&mut self) -> Option<Batch> {
        let mut busy: Vec<&mut Worker> = self
            .workers
            .iter_mut()
            .flatten()
            .filter(|worker| worker.has.len() > 1)
            .collect();
        busy.sort_unstable_by_key(|worker| std::cmp::Reverse(worker.has.len()));
        busy.into_iter().find_map(Worker::cancel)
    }

    /// Cancels the batches of workers that don't begin them, where others may.
    pub(crate) fn cancel_stuck(&mut self) {
        const STUCK_AFTER: Duration = Duration::from_millis(200);
        if self.workers.len() < 2 {
            return;
        }
        for worker in self.workers.iter_mut().flatten() {
            let waits = !worker.stuck && worker.last.elapsed() > STUCK_AFTER;
            if !waits || !worker.has_begun_nothing() {
                continue;
            }
            while let Some(batch) = worker.cancel() {
                self.waiting.push_front(batch);
            }
            // When it answers this, it goes on.
            worker.stuck = worker.requests.put(bytes_of(&Request::default())).is_ok();
        }
    }

    /// In a closed pool, closes the workers' requests when there is nothing left to do.
    pub(crate) fn close_if_done(&mut self) {
        if self.phase == Phase::Closed && !self.has_work() {
            for worker in self.workers.iter_mut().flatten() {
                if !worker.closed {
                    worker.closed = true;
                    worker.requests.close();
                }
            }
        }
    }

    pub(crate) fn worker(&mut self, worker_id: WorkerId) -> Option<&mut Worker> {
        let worker = self.workers.get_mut(worker_id.place as usize)?.as_mut()?;
        (worker.id == worker_id).then_some(worker)
    }

    /// Returns the place of the worker with the least to do, if it may have more.
    fn freest_worker(&self) -> Option<usize> {
        let free = self.workers.iter().flatten().filter(|worker| {
            worker.ready && !worker.closed && !worker.stuck && worker.has.len() < worker.depth
        });
        free.min_by_key(|worker| worker.has.len())
            .map(|worker| worker.id.place as usize)
    }

    /// Sends a batch to a worker.
    fn send(&mut self, place: usize, mut batch: Batch) {
        let Some(worker) = self.workers[place].as_mut() else {
            return self.waiting.push_front(batch);
        };
        self.last_batch = self.last_batch.checked_add(1).unwrap_or(NO_BATCH + 1);
        let id = self.last_batch;
        let request = Request {
            batch: id,
            task: batch.call.task,
            count: batch.count(),
            first: u32::try_from(batch.first).unwrap_or(u32::MAX),
        };
        batch.bytes[..Request::SIZE].copy_from_slice(bytes_of(&request));
        match worker.requests.put(&batch.bytes) {
            Ok(()) => {
                if worker.has.is_empty() {
                    worker.last = Instant::now();
                }
                worker.has.push_back((id, batch));
            }
            Err(reason) => {
                let failure = TaskFailure::UnsendableInput { reason };
                batch.call.fail(batch.first, batch.ends.len(), failure);
            }
        }
    }

    /// Notes that an event of a worker came.
    pub(crate) fn note_event(&mut self, worker_id: WorkerId) -> Option<&mut Worker> {
        let worker = self.worker(worker_id)?;
        worker.stuck = false;
        worker.last = Instant::now();
        Some(worker)
    }

    /// A worker is ready to work.
    pub(crate) fn ready(&mut self, worker_id: WorkerId) {
        if let Some(worker) = self.note_event(worker_id) {
            worker.ready = true;
            if let Some(setup) = worker.setup.take() {
                setup.commit();
            }
            self.starts = Starts::default();
        }
    }

    /// Hands the results of a batch to the caller; returns the caller if it has to be woken.
    pub(crate) fn done(&mut self, event: &Event, message: Vec<u8>) -> Option<Arc<Job>> {
        // Batches that take long to do are not piled up before one worker.
        const SHORT: Duration = Duration::from_micros(500);
        const VERY_SHORT: Duration = Duration::from_micros(20);
        let worker = self.note_event(event.worker_id)?;
        let mut batch = worker.remove_batch(event.batch)?;
        worker.depth = match event.took() {
            took if took < VERY_SHORT => 64,
            took if took < SHORT => 16,
            _ => 2,
        };
        batch.was_read(&message[Event::SIZE..]);
        let wake = batch.call.complete(&batch, event, message);
        wake.then(|| Arc::clone(&batch.call))
    }
}

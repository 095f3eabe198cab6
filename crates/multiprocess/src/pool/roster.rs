//! The workers of a pool, and which of them has which batch.
//!
//! A worker has a few batches ahead of the one it works at, so that it never waits for the pool; when nothing else is
//! left for another one that is idle, what it has ahead is taken back and given to that one. So is everything that a
//! worker has when it does not even begin.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::luggage::Luggage;
use crate::pool::call::{Arrived, Batch, Call, PoolEnd};
use crate::pool::diary::Diary;
use crate::pool::failure::TaskFailure;
use crate::pool::line::Line;
use crate::pool::message::{NO_BATCH, Order, Seat};
use crate::process::JoinHandle;

pub(crate) struct Roster {
    pub(crate) phase: Phase,
    pub(crate) workers: Vec<Option<Worker>>,
    pub(crate) waiting: VecDeque<Batch>,
    pub(crate) calls: Vec<Weak<Call>>,
    /// When there are so many calls, those that are over are struck off.
    many_calls: usize,
    last_batch: u32,
    pub(crate) hired: u32,
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

pub(crate) struct Worker {
    pub(crate) seat: Seat,
    pub(crate) handle: JoinHandle<()>,
    /// What it is to do; what it has not begun can be taken back from there.
    pub(crate) orders: Line,
    /// Handles in the arguments of the initializer, until it was called.
    pub(crate) setup: Option<Luggage>,
    /// Whether it was told that nothing more will come.
    pub(crate) dismissed: bool,
    /// Batches that it has, oldest first, by their numbers.
    pub(crate) has: VecDeque<(u32, Batch)>,
    pub(crate) ready: bool,
    /// Whether it did not begin what it was given, as if it had been stopped.
    pub(crate) stuck: bool,
    /// When it was last given something, or was heard.
    pub(crate) last: Instant,
    /// How many batches it may have.
    pub(crate) depth: usize,
}

impl Worker {
    fn is_idle(&self) -> bool {
        self.ready && self.has.is_empty() && !self.dismissed && !self.stuck
    }

    /// Takes a batch back that it has not begun; nothing if it has begun all.
    fn give_back(&mut self) -> Option<Batch> {
        loop {
            let message = self.orders.try_get()?;
            let id = Order::from_bytes(&message)?.batch;
            if let Some(batch) = self.lay_down(id) {
                return Some(batch);
            }
        }
    }

    fn lay_down(&mut self, id: u32) -> Option<Batch> {
        let place = self.has.iter().position(|&(has, _)| has == id)?;
        self.has.remove(place).map(|(_, batch)| batch)
    }

    /// Whether everything that it was given still lies where it was put.
    fn has_begun_nothing(&self) -> bool {
        !self.has.is_empty() && self.orders.len() >= self.has.len()
    }
}

impl Roster {
    pub(crate) fn new() -> Roster {
        Roster {
            phase: Phase::Open,
            workers: Vec::new(),
            waiting: VecDeque::new(),
            calls: Vec::new(),
            many_calls: 0,
            last_batch: NO_BATCH,
            hired: 0,
            starts: Starts::default(),
        }
    }

    /// Enters a call, whose batches will be handed in.
    pub(crate) fn enter(&mut self, call: &Arc<Call>) {
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

    /// Whether batches are still to be done.
    pub(crate) fn has_batches(&self) -> bool {
        let has = |worker: &Worker| !worker.has.is_empty();
        !self.waiting.is_empty() || self.workers.iter().flatten().any(has)
    }

    /// Whether anything is still to be done, or may still be asked for.
    pub(crate) fn has_work(&self) -> bool {
        let feeding = |call: &Weak<Call>| call.upgrade().is_some_and(|call| call.is_feeding());
        self.has_batches() || self.calls.iter().any(feeding)
    }

    /// Gives free workers what is waiting.
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
                self.order(place, batch);
            }
        }
    }

    /// Gives idle workers what others have ahead.
    fn share(&mut self) {
        for place in 0..self.workers.len() {
            if self.workers[place].as_ref().is_some_and(Worker::is_idle) {
                let Some(batch) = self.take_back() else {
                    return;
                };
                self.order(place, batch);
            }
        }
    }

    /// Takes a batch from a worker that will not begin it soon.
    fn take_back(&mut self) -> Option<Batch> {
        let mut busy: Vec<&mut Worker> = self
            .workers
            .iter_mut()
            .flatten()
            .filter(|worker| worker.has.len() > 1)
            .collect();
        busy.sort_unstable_by_key(|worker| std::cmp::Reverse(worker.has.len()));
        busy.into_iter().find_map(Worker::give_back)
    }

    /// Takes from workers what they do not begin, where others may.
    pub(crate) fn look_for_stuck(&mut self) {
        const PATIENCE: Duration = Duration::from_millis(200);
        if self.workers.len() < 2 {
            return;
        }
        for worker in self.workers.iter_mut().flatten() {
            let waits = !worker.stuck && worker.last.elapsed() > PATIENCE;
            if !waits || !worker.has_begun_nothing() {
                continue;
            }
            while let Some(batch) = worker.give_back() {
                self.waiting.push_front(batch);
            }
            // When it answers this, it goes on.
            let order = Order {
                batch: NO_BATCH,
                task: 0,
                count: 0,
                inputs: &[],
            };
            worker.stuck = worker.orders.put(&order.to_bytes()).is_ok();
        }
    }

    /// In a closed pool, tells the workers when there is nothing left to do.
    pub(crate) fn dismiss_if_done(&mut self) {
        if self.phase == Phase::Closed && !self.has_work() {
            for worker in self.workers.iter_mut().flatten() {
                if !worker.dismissed {
                    worker.dismissed = true;
                    worker.orders.close();
                }
            }
        }
    }

    pub(crate) fn worker(&mut self, seat: Seat) -> Option<&mut Worker> {
        let worker = self.workers.get_mut(seat.place as usize)?.as_mut()?;
        (worker.seat == seat).then_some(worker)
    }

    /// The place of the worker that has least to do, if it may have more.
    fn freest_worker(&self) -> Option<usize> {
        let free = self.workers.iter().flatten().filter(|worker| {
            worker.ready && !worker.dismissed && !worker.stuck && worker.has.len() < worker.depth
        });
        free.min_by_key(|worker| worker.has.len())
            .map(|worker| worker.seat.place as usize)
    }

    /// Sends a batch to a worker.
    fn order(&mut self, place: usize, mut batch: Batch) {
        let Some(worker) = self.workers[place].as_mut() else {
            return self.waiting.push_front(batch);
        };
        self.last_batch = self.last_batch.checked_add(1).unwrap_or(NO_BATCH + 1);
        let id = self.last_batch;
        let order = Order {
            batch: id,
            task: batch.call.task,
            count: batch.count(),
            inputs: &[],
        };
        if let Some(head) = batch.bytes.first_chunk_mut() {
            order.write_head(head);
        }
        match worker.orders.put(&batch.bytes) {
            Ok(()) => {
                if worker.has.is_empty() {
                    worker.last = Instant::now();
                }
                worker.has.push_back((id, batch));
            }
            Err(reason) => {
                let (first, count) = (batch.first, batch.count() as usize);
                let failure = TaskFailure::UnsendableInput { reason };
                batch.call.arrive(Arrived::Failed {
                    first,
                    count,
                    failure,
                });
            }
        }
    }

    /// Notes that a worker was heard.
    pub(crate) fn heard(&mut self, seat: Seat) -> Option<&mut Worker> {
        let worker = self.worker(seat)?;
        worker.stuck = false;
        worker.last = Instant::now();
        Some(worker)
    }

    /// A worker is ready to work.
    pub(crate) fn ready(&mut self, seat: Seat) {
        if let Some(worker) = self.heard(seat) {
            worker.ready = true;
            if let Some(setup) = worker.setup.take() {
                setup.deliver();
            }
            self.starts = Starts::default();
        }
    }

    /// Hands the results of a batch to the caller; gives the caller if it is to be woken.
    pub(crate) fn done(&mut self, seat: Seat, id: u32, did: Did) -> Option<Arc<Call>> {
        // Batches that take long to do are not piled up before one worker.
        const SHORT: Duration = Duration::from_micros(500);
        const VERY_SHORT: Duration = Duration::from_micros(20);
        let worker = self.heard(seat)?;
        let mut batch = worker.lay_down(id)?;
        worker.depth = match did.took {
            took if took < VERY_SHORT => 64,
            took if took < SHORT => 16,
            _ => 2,
        };
        batch.was_read();
        let (first, count) = (batch.first, batch.count() as usize);
        let bytes = batch.call.parcel(did.bytes, count, did.loaded);
        let wake = batch.call.arrive_quietly(Arrived::Results {
            first,
            count,
            bytes,
            took: did.took,
        });
        wake.then(|| Arc::clone(&batch.call))
    }

    /// Takes a dead worker off the roster, and sees to the batches that it had: what it was in the middle of has failed,
    /// what it had not begun waits again. All that it sent has been heard.
    pub(crate) fn bury(&mut self, seat: Seat, diary: &Diary) -> Option<Buried> {
        let place = seat.place as usize;
        let mut worker = self
            .workers
            .get_mut(place)?
            .take_if(|worker| worker.seat == seat)?;
        let untouched = untouched(&worker.orders);
        if let Some(setup) = worker.setup.take()
            && !untouched.contains(&NO_BATCH)
        {
            setup.deliver();
        }
        if !worker.ready {
            worker.orders.take_back();
        }
        let mut again: Vec<Batch> = untouched
            .into_iter()
            .filter_map(|id| worker.lay_down(id))
            .collect();
        let Worker {
            handle, has, ready, ..
        } = worker;
        let death = handle.join().err();
        let killed = matches!(&death, Some(crate::Error::Killed { signal, .. })
            if *signal == crate::Signal::KILL || *signal == crate::Signal::TERM);
        let how = death.map(|error| error.to_string());
        let (began, step) = diary.read(seat.place);
        for (id, mut batch) in has {
            let how = how.as_deref().unwrap_or("the worker ended");
            if id == began {
                batch.was_read_until(step);
                again.extend(lose(batch, step.call, how));
            } else {
                again.extend(try_again(batch, how));
            }
        }
        diary.clear(seat.place);
        again.sort_by_key(|batch| batch.first);
        for batch in again.into_iter().rev() {
            self.waiting.push_front(batch);
        }
        Some(Buried { how, ready, killed })
    }
}

/// What a worker said of a batch.
pub(crate) struct Did {
    pub(crate) took: Duration,
    pub(crate) loaded: bool,
    /// The whole message.
    pub(crate) bytes: Vec<u8>,
}

/// The orders that a dead worker never took.
fn untouched(orders: &Line) -> Vec<u32> {
    let mut untouched = Vec::new();
    while let Some(message) = orders.try_get() {
        untouched.extend(Order::from_bytes(&message).map(|order| order.batch));
    }
    untouched
}

/// What is known of a worker that has died.
pub(crate) struct Buried {
    /// How it ended, if not in good order.
    pub(crate) how: Option<String>,
    /// Whether it had been ready to work.
    pub(crate) ready: bool,
    /// Whether it was ended by somebody.
    pub(crate) killed: bool,
}

/// A batch whose worker died when it had taken it and not begun, unless that is nothing new.
fn try_again(mut batch: Batch, how: &str) -> Option<Batch> {
    const MOST: u32 = 3;
    batch.mishaps += 1;
    if batch.mishaps < MOST {
        return Some(batch);
    }
    // As far as can be known it is the batch that kills workers: it is tried without its first input.
    lose(batch, 0, how)
}

/// Tells the caller what is lost of a batch whose worker died at a call of it; the calls behind are still to be done.
fn lose(mut batch: Batch, call: u32, how: &str) -> Option<Batch> {
    let rest = (call + 1 < batch.count()).then(|| batch.split_off(call + 1));
    let how = how.to_owned();
    let (first, before) = (batch.first, call.min(batch.count()) as usize);
    if before > 0 {
        let failure = TaskFailure::Lost { how: how.clone() };
        batch.call.arrive(Arrived::Failed {
            first,
            count: before,
            failure,
        });
    }
    if call < batch.count() {
        let failure = TaskFailure::WorkerDied { how };
        batch.call.arrive(Arrived::Failed {
            first: first + before,
            count: 1,
            failure,
        });
    }
    rest
}

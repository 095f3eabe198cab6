//! The workers of a pool, and which of them has which batch.
//!
//! A worker has a few batches ahead of the one it works at, so that it never waits for the pool; when nothing else is
//! left for another one that is idle, what it has ahead is taken back and given to that one.

use std::collections::{HashMap, VecDeque};
use std::sync::Weak;
use std::time::Duration;

use crate::pool::call::{Arrived, Batch, Call, PoolEnd};
use crate::pool::failure::TaskFailure;
use crate::pool::line::Line;
use crate::pool::message::{Order, Seat};
use crate::pool::worker::Diary;
use crate::process::JoinHandle;

pub(crate) struct Roster {
    pub(crate) phase: Phase,
    pub(crate) workers: Vec<Option<Worker>>,
    pub(crate) waiting: VecDeque<Batch>,
    pub(crate) under_way: HashMap<u32, Batch>,
    pub(crate) calls: Vec<Weak<Call>>,
    pub(crate) last_batch: u32,
    pub(crate) hired: u32,
    /// Workers in a row that died before they were ready.
    pub(crate) failed_starts: usize,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// No new calls; what is under way is done.
    Closed,
    Ended(PoolEnd),
}

pub(crate) struct Worker {
    pub(crate) seat: Seat,
    pub(crate) handle: JoinHandle<()>,
    /// What it is to do; what it has not begun can be taken back from there.
    pub(crate) orders: Line,
    /// Whether it was told that nothing more will come.
    pub(crate) dismissed: bool,
    /// Batches that it has, oldest first.
    pub(crate) has: VecDeque<u32>,
    pub(crate) ready: bool,
    /// How many batches it may have.
    pub(crate) depth: usize,
}

impl Roster {
    pub(crate) fn new() -> Roster {
        Roster {
            phase: Phase::Open,
            workers: Vec::new(),
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
            calls: Vec::new(),
            last_batch: 0,
            hired: 0,
            failed_starts: 0,
        }
    }

    /// Whether anything is still to be done.
    pub(crate) fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.under_way.is_empty()
    }

    /// Gives free workers what is waiting.
    pub(crate) fn give_out(&mut self) {
        while let Some(place) = self.freest_worker() {
            let Some(batch) = self.waiting.pop_front() else {
                self.share();
                return;
            };
            if !batch.call.is_abandoned() {
                self.order(place, batch);
            }
        }
    }

    /// Gives an idle worker what another one has ahead.
    fn share(&mut self) {
        let idle = |worker: &Worker| worker.ready && worker.has.is_empty() && !worker.dismissed;
        loop {
            let Some(place) = self.place_where(idle) else {
                return;
            };
            let busy = self
                .workers
                .iter()
                .flatten()
                .filter(|worker| worker.has.len() > 1);
            let Some(busy) = busy.max_by_key(|worker| worker.has.len()) else {
                return;
            };
            let Some(message) = busy.orders.try_get() else {
                return;
            };
            let from = busy.seat.place as usize;
            let Some(batch) = self.take_back(from, &message) else {
                return;
            };
            self.order(place, batch);
        }
    }

    /// In a closed pool, tells the workers when there is nothing left to do.
    pub(crate) fn dismiss_if_done(&mut self) {
        if self.phase == Phase::Closed && !self.has_work() {
            for worker in self.workers.iter_mut().flatten() {
                worker.dismissed = true;
                worker.orders.close();
            }
        }
    }

    pub(crate) fn worker(&mut self, seat: Seat) -> Option<&mut Worker> {
        let worker = self.workers.get_mut(seat.place as usize)?.as_mut()?;
        (worker.seat == seat).then_some(worker)
    }

    fn place_where(&self, wanted: impl Fn(&Worker) -> bool) -> Option<usize> {
        self.workers
            .iter()
            .position(|worker| worker.as_ref().is_some_and(&wanted))
    }

    /// The place of the worker that has least to do, if it may have more.
    fn freest_worker(&self) -> Option<usize> {
        let free = self
            .workers
            .iter()
            .flatten()
            .filter(|worker| !worker.dismissed && worker.has.len() < worker.depth);
        free.min_by_key(|worker| worker.has.len())
            .map(|worker| worker.seat.place as usize)
    }

    /// Sends a batch to a worker.
    fn order(&mut self, place: usize, mut batch: Batch) {
        self.last_batch = self.last_batch.checked_add(1).unwrap_or(1);
        let id = self.last_batch;
        let Some(worker) = self.workers[place].as_mut() else {
            return self.waiting.push_front(batch);
        };
        let order = Order {
            batch: id,
            task: batch.call.task,
            count: batch.count(),
            inputs: &batch.bytes,
        };
        match worker.orders.put(&order.to_bytes()) {
            Ok(()) => {
                std::mem::take(&mut batch.luggage).deliver();
                worker.has.push_back(id);
                self.under_way.insert(id, batch);
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

    /// Takes a batch from a worker that has not begun it.
    fn take_back(&mut self, place: usize, message: &[u8]) -> Option<Batch> {
        let id = Order::from_bytes(message)?.batch;
        if let Some(worker) = &mut self.workers[place] {
            worker.has.retain(|&batch| batch != id);
        }
        self.under_way.remove(&id)
    }

    /// Hands the results of a batch to the caller.
    pub(crate) fn done(&mut self, seat: Seat, id: u32, took: Duration, bytes: Vec<u8>) {
        // Batches that take long to do are not piled up before one worker.
        const SHORT: Duration = Duration::from_micros(500);
        if let Some(worker) = self.worker(seat) {
            worker.has.retain(|&batch| batch != id);
            worker.depth = if took < SHORT { 16 } else { 2 };
        }
        if let Some(batch) = self.under_way.remove(&id) {
            let (first, count) = (batch.first, batch.count() as usize);
            batch.call.arrive(Arrived::Results {
                first,
                count,
                bytes,
                took,
            });
        }
    }

    /// Takes a dead worker off the roster, and sees to the batches that it had: what it was in the middle of has failed,
    /// what it had not begun waits again.
    pub(crate) fn bury(&mut self, seat: Seat, diary: &Diary) -> Option<Buried> {
        let place = seat.place as usize;
        let worker = self
            .workers
            .get_mut(place)?
            .take_if(|worker| worker.seat == seat)?;
        let Worker {
            handle,
            orders,
            mut has,
            ready,
            ..
        } = worker;
        let how = handle.join().err().map(|error| error.to_string());
        let mut again = Vec::new();
        while let Some(message) = orders.try_get() {
            if let Some(order) = Order::from_bytes(&message) {
                has.retain(|&batch| batch != order.batch);
                again.extend(self.under_way.remove(&order.batch));
            }
        }
        let (began, call) = diary.read(seat.place);
        for id in has {
            let Some(batch) = self.under_way.remove(&id) else {
                continue;
            };
            if id == began {
                let how = how.as_deref().unwrap_or("the worker ended");
                again.extend(lose(batch, call, how));
            } else {
                again.push(batch);
            }
        }
        diary.clear(seat.place);
        again.sort_by_key(|batch| batch.first);
        for batch in again.into_iter().rev() {
            self.waiting.push_front(batch);
        }
        Some(Buried { how, ready })
    }
}

/// What is known of a worker that has died.
pub(crate) struct Buried {
    /// How it ended, if not in good order.
    pub(crate) how: Option<String>,
    /// Whether it had been ready to work.
    pub(crate) ready: bool,
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

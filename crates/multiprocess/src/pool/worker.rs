//! A worker of a pool: a process that takes batches of inputs, calls functions, and sends results.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::pool::line::Line;
use crate::pool::message::{NEWS, News, Order, Seat};
use crate::raw::RawArray;
use crate::task::{self, RegisteredTask};
use crate::{events, luggage};

/// What a worker is told when it is started.
#[derive(Serialize, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) place: u32,
    pub(crate) generation: u32,
    pub(crate) orders: Line,
    pub(crate) news: Line,
    /// For each place: which call its worker is in the middle of.
    pub(crate) diary: Diary,
    /// The function that sets a worker up, and its arguments, where there is one.
    pub(crate) initializer: Option<(u32, Vec<u8>)>,
    /// After how many calls a worker ends, to be replaced by a fresh one.
    pub(crate) calls: Option<u64>,
}

/// What each worker is doing, kept in shared memory, where it can be read after the worker's death.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Diary(RawArray<u64>);

impl Diary {
    pub(crate) fn new(workers: usize) -> crate::Result<Diary> {
        Ok(Diary(RawArray::new(workers)?))
    }

    /// Notes that a call is about to begin; after the last call of a batch, its count.
    fn write(&self, place: u32, batch: u32, call: u32) {
        self.0
            .set(place as usize, u64::from(batch) << 32 | u64::from(call));
    }

    /// The batch, and the number of the call in it, that the worker began last.
    pub(crate) fn read(&self, place: u32) -> (u32, u32) {
        let entry = self.0.get(place as usize);
        let batch = u32::try_from(entry >> 32).expect("half of 64 bits");
        (
            batch,
            u32::try_from(entry & u64::from(u32::MAX)).expect("half of 64 bits"),
        )
    }

    /// Forgets what a worker did, before another takes its place.
    pub(crate) fn clear(&self, place: u32) {
        self.0.set(place as usize, 0);
    }
}

/// The life of a worker. It ends when the pool has closed the line of its orders.
pub(crate) fn work(assignment: Assignment) {
    let Assignment {
        place,
        generation,
        orders,
        news,
        diary,
        initializer,
        calls,
    } = assignment;
    let seat = Seat { place, generation };
    let table = task::table().unwrap_or_default();
    if let Some((index, arguments)) = initializer {
        initialize(&table[index as usize], &arguments);
    }
    let mut left = calls.unwrap_or(u64::MAX);
    // Without a pool to hear it, there is nothing to work for.
    if news.put(&News::Ready(seat).to_bytes()).is_err() {
        return;
    }
    while left > 0 {
        let Some(order) = orders.get() else { return };
        let order = Order::from_bytes(&order).expect("the pool sends orders");
        let (task, batch) = (&table[order.task as usize], order.batch);
        // The news stand before the results, in the same message.
        let mut message = vec![0; NEWS];
        events::task_begins(task.name());
        let start = Instant::now();
        let ((), luggage) = luggage::with_luggage(|| {
            let starting = |call| diary.write(place, batch, call);
            task.run_batch(order.inputs, order.count, &starting, &mut message);
        });
        diary.write(place, batch, order.count);
        events::task_ends(task.name());
        let took = start.elapsed();
        left = left.saturating_sub(u64::from(order.count));
        let done = News::Done { seat, batch, took };
        message[..NEWS].copy_from_slice(&done.to_bytes());
        if news.put(&message).is_err() {
            return;
        }
        luggage.deliver();
    }
}

/// Sets the worker up; a panic there ends the worker, and the pool hears why.
fn initialize(task: &RegisteredTask, arguments: &[u8]) {
    let mut results = Vec::new();
    task.run_batch(arguments, 1, &|_| {}, &mut results);
    let failed = super::batch::Results::new(&results).failure_of_one();
    if let Some(reason) = failed {
        let message = format!("the initializer {} failed: {reason}", task.name());
        // Without the announcement of a panic: a panic of the initializer has been announced.
        std::panic::resume_unwind(Box::new(message));
    }
}

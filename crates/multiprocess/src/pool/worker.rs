//! A worker of a pool: a process that takes batches of inputs, calls functions, and sends results.

use std::time::Instant;

use bytemuck::bytes_of;
use serde::{Deserialize, Serialize};

use crate::errors::task_failure::TaskFailure;
use crate::pool::byte_channel::ByteChannel;
use crate::pool::message::{Event, EventKind, NO_BATCH, Request, WorkerId};
use crate::pool::progress_cells::ProgressCells;
use crate::process::batch::{Results, Step};
use crate::process::task_table::{self, RegisteredTask};
use crate::trace::events;
use crate::transfer::attachments;

/// What a worker is told when it is started.
#[derive(Serialize, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) place: u32,
    pub(crate) generation: u32,
    pub(crate) requests: ByteChannel,
    pub(crate) events: ByteChannel,
    /// For each place: which call its worker is in the middle of.
    pub(crate) progress_cells: ProgressCells,
    /// Whether the first request is for the initializer.
    pub(crate) initialized: bool,
    /// After how many calls a worker ends, to be replaced by a fresh one.
    pub(crate) calls: Option<u64>,
}

/// Runs a worker. It ends when the pool has closed its requests.
pub(crate) fn work(assignment: Assignment) {
    let Assignment {
        place,
        generation,
        requests,
        events,
        progress_cells,
        initialized,
        calls,
    } = assignment;
    let worker_id = WorkerId { place, generation };
    let table = task_table::table().unwrap_or_default();
    let cell = progress_cells.cell(place);
    if initialized {
        let Some(first) = requests.get() else { return };
        let (request, arguments) = Request::read(&first).expect("the pool sends requests");
        let note = |step| cell.write(NO_BATCH, step);
        initialize(&table[request.task as usize], arguments, &note);
    }
    let mut left = calls.unwrap_or(u64::MAX);
    // Without a pool there is nothing to do.
    let ready = Event::new(EventKind::Ready, worker_id);
    if events.put(bytes_of(&ready)).is_err() {
        return;
    }
    // Kept from one batch to the next.
    let mut message = Vec::new();
    while left > 0 {
        let Some(next) = requests.get() else { return };
        let (request, inputs) = Request::read(&next).expect("the pool sends requests");
        let Request {
            batch,
            task,
            count,
            first,
        } = request;
        message.clear();
        message.resize(Event::SIZE, 0);
        let start = Instant::now();
        if batch != NO_BATCH {
            let task = &table[task as usize];
            events::batch_begins(task.name(), first, count);
            let note = |step| cell.write(batch, step);
            (task.run_batch)(inputs, count, &note, &mut message);
            note(Step::Begin(count));
            events::task_ends(task.name());
        }
        let attachments = attachments::take_results();
        left = left.saturating_sub(u64::from(count));
        let done = Event::done(worker_id, batch, start.elapsed(), !attachments.is_empty());
        message[..Event::SIZE].copy_from_slice(bytes_of(&done));
        match events.put(&message) {
            Ok(()) => attachments.commit(),
            Err(reason) => {
                // There is no memory for the results; for the failures there may be.
                drop(attachments);
                let failures = Results::new(&message[Event::SIZE..]).without_values(&reason);
                message.truncate(Event::SIZE);
                message.extend(failures);
                if events.put(&message).is_err() {
                    return;
                }
            }
        }
        // What was large once is not kept.
        message.clear();
        message.shrink_to(1 << 20);
    }
}

/// Sets the worker up; a panic there ends the worker, and the pool hears why.
fn initialize(task: &RegisteredTask, arguments: &[u8], note: &dyn Fn(Step)) {
    let mut results = Vec::new();
    (task.run_batch)(arguments, 1, note, &mut results);
    // Its result is not sent.
    drop(attachments::take_results());
    // Its result may be anything.
    if let Err(why @ (TaskFailure::Panicked { .. } | TaskFailure::UnreadableInput { .. })) =
        Results::new(&results).next::<()>()
    {
        let message = format!("the initializer {} failed: {why}", task.name());
        // Without the announcement of a panic: a panic of the initializer has been announced.
        std::panic::resume_unwind(Box::new(message));
    }
}

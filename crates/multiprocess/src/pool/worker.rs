//! A worker of a pool: a process that takes batches of inputs, calls functions, and sends results.

use std::time::Instant;

use bytemuck::bytes_of;

use crate::errors::task_failure::TaskFailure;
use crate::pool::message::{self, ByteChannel, Event, EventKind, NO_BATCH, Request};
use crate::pool::progress_cells::ProgressCells;
use crate::process::batch::{Results, Step};
use crate::process::task_table::{self, RegisteredTask};
use crate::trace::events;
use crate::transfer::attachments;

/// Ends when the pool has closed the requests, or after so many `calls`, to be replaced by a fresh worker.
#[expect(clippy::needless_pass_by_value, reason = "arguments of a task")]
pub(crate) fn work(
    worker: u32,
    place: usize,
    requests: ByteChannel,
    events: ByteChannel,
    progress_cells: ProgressCells,
    mut calls: u64,
) {
    let table = task_table::table().unwrap_or_default();
    let cell = progress_cells.cell(place);
    // Kept from one batch to the next.
    let mut message = Vec::new();
    while calls > 0
        && let Ok(Some(next)) = requests.get(None)
    {
        let next = message::read::<Request>(&next);
        let (request, inputs) = next.expect("the pool sends requests");
        let Request { batch, count, .. } = request;
        message.resize(Event::SIZE, 0);
        let start = Instant::now();
        let task = &table[request.task as usize];
        let note = |step| cell.write(batch, step);
        if batch != NO_BATCH {
            events::batch_begins(task.name(), request.first, count);
            (task.run_batch)(inputs, count, &note, &mut message);
            cell.end_batch();
            events::task_ends(task.name());
            calls = calls.saturating_sub(u64::from(count));
        } else if count > 0 {
            initialize(task, inputs, &note);
        }
        let attachments = attachments::take_results();
        let done = Event {
            batch,
            has_handles: u32::from(!attachments.is_empty()),
            nanoseconds: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
            ..Event::new(EventKind::Done, worker)
        };
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

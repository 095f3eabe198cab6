//! A worker of a pool: a process that takes batches of inputs, calls functions, and sends results.

use std::cell::Cell;
use std::io;
use std::time::Instant;

use bytemuck::bytes_of;

use crate::errors::task_failure::TaskFailure;
use crate::platform::wait_until::WaitUntil;
use crate::pool::message::{self, ByteChannel, Event, EventKind, NO_BATCH, ONLY_BYTES, Request};
use crate::pool::progress_cells::ProgressCells;
use crate::process::batch::{Note, Results};
use crate::process::task_table::{self, RegisteredTask};
use crate::trace::events::event;
use crate::transfer::attachments::Attachments;

/// The number of bytes that a worker keeps allocated for its next request, and for its next results.
const KEPT: usize = 4 << 20;

/// Ends when the pool has closed the requests, or after that many `calls`, to be replaced by a new worker.
#[expect(clippy::needless_pass_by_value, reason = "arguments of a task")]
pub(crate) fn work(
    worker: u32,
    place: usize,
    requests: ByteChannel,
    events: ByteChannel,
    progress_cells: ProgressCells,
    mut calls: u64,
) -> io::Result<()> {
    let table = task_table::table().unwrap_or_default();
    let cell = progress_cells.cell(place);
    // Kept from one batch to the next: memory that was used before is faster than new memory.
    let (mut next, mut message) = (Vec::new(), Vec::new());
    while calls > 0
        && let Ok(handles) = requests.get_into(&mut next, WaitUntil::Until(None))
    {
        // Keeps the handles in the input in use until it is read.
        let handles = Cell::new(handles);
        let request = message::read::<Request>(&next);
        let (request, inputs) = request.expect("the pool sends requests");
        let Request { batch, count, .. } = request;
        message.resize(Event::SIZE, 0);
        let start = Instant::now();
        let task = &table[(request.task & !ONLY_BYTES) as usize];
        let only_bytes = request.task & ONLY_BYTES != 0;
        let note = |call, has_read| {
            cell.write(batch, call, has_read);
            if has_read {
                handles.take();
            }
        };
        let mut attachments = Attachments::default();
        if batch != NO_BATCH {
            let (function, first) = (task.name, request.first);
            event!(DEBUG, function, first, count, "task begins");
            attachments = (task.run_batch)(inputs, count, only_bytes, &note, &mut message);
            cell.end_batch();
            event!(DEBUG, function, "task ends");
            calls = calls.saturating_sub(u64::from(count));
        } else if count > 0 {
            initialize(task, inputs, &note)?;
        }
        let done = Event {
            batch,
            nanoseconds: u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
            ..Event::new(EventKind::Done, worker)
        };
        message[..Event::SIZE].copy_from_slice(bytes_of(&done));
        // Those of an input that could not be read: before the caller learns of it.
        drop(handles.take());
        match events.put_with(&message, &attachments, WaitUntil::Until(None)) {
            Ok(_) => attachments.commit(),
            Err(reason) => {
                // There is no memory for the results, but maybe for the failures.
                drop(attachments);
                let failures = Results(&message[Event::SIZE..]).without_values(&reason);
                message.truncate(Event::SIZE);
                message.extend(failures);
                if events.put(&message, WaitUntil::Until(None)).is_err() {
                    break;
                }
            }
        }
        for buffer in [&mut next, &mut message] {
            buffer.clear();
            buffer.shrink_to(KEPT);
        }
    }
    Ok(())
}

/// Calls the initializer; if that fails, the worker fails, and the pool learns why.
fn initialize(task: &RegisteredTask, arguments: &[u8], note: Note<'_>) -> io::Result<()> {
    let mut results = Vec::new();
    // Its result isn't sent.
    drop((task.run_batch)(arguments, 1, false, note, &mut results));
    match Results(&results).next::<()>() {
        // Its result can be anything.
        Ok(())
        | Err(TaskFailure::UnreadableResult { .. } | TaskFailure::UnsendableResult { .. }) => {
            Ok(())
        }
        Err(why) => {
            let message = format!("the initializer {} failed: {why}", task.name);
            Err(io::Error::other(message))
        }
    }
}

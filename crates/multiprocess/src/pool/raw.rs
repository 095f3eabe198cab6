//! Calls with inputs and results as bytes, for the crate `cluster`, which sends them to other machines.

#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "it is for the crate `cluster` only"
)]

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::errors::error::Result;
use crate::errors::task_failure::TaskFailure;
use crate::pool::Pool;
use crate::pool::chunker::Chunker;
use crate::pool::message::ONLY_BYTES;
use crate::process::batch::Results;
use crate::process::task::Task;
use crate::process::{task_table, wire};
use crate::transfer::attachments::{Attachments, ONLY_IN_MESSAGES};
use crate::transfer::ipc;

/// Returns the index of a function in the list of tasks.
pub fn index_of<F: Task<Args, How>, Args, How>(function: F) -> Result<u32> {
    task_table::index_of(function)
}

/// Appends an input. The error says why it can't be sent; a handle can't.
pub fn append<F: Task<Args, How>, Args, How>(
    input: &Args,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let write = |bytes: &mut Vec<u8>| ipc::refuse_handles::<Args>(|| F::write(input, bytes));
    wire::append::<Args>(bytes, write)
}

/// Returns the handle because of which an input can't be sent, from the reason.
#[must_use]
pub fn handle_in(reason: &str) -> Option<&str> {
    Some(reason.strip_suffix(ONLY_IN_MESSAGES)?.trim_end())
}

/// Appends the failure of an input or a result, in its place.
pub fn append_failure(failure: &TaskFailure, bytes: &mut Vec<u8>) {
    wire::append_failure(failure, bytes);
}

/// Reads a result, or why there is none, and splits it off.
pub fn next<R: DeserializeOwned + 'static>(results: &mut &[u8]) -> Result<R, TaskFailure> {
    let mut rest = Results(results);
    let result = rest.next();
    *results = rest.0;
    result
}

/// The results of some of the inputs of a call, for [`next`].
pub struct Part {
    /// The index of the first of them.
    pub first: usize,
    pub count: usize,
    pub results: Vec<u8>,
    /// How long the worker took for each.
    pub each_took: Option<Duration>,
}

impl Pool {
    /// Calls the function with that index for inputs that [`append`] has written, and reports results as they arrive.
    #[doc(hidden)]
    pub fn call_raw(
        &self,
        task: u32,
        count: usize,
        mut inputs: &[u8],
        mut report: impl FnMut(Part),
    ) -> Result<()> {
        let function = task_table::table()?[task as usize].name;
        let call = self.supervisor.open_call(task | ONLY_BYTES, function)?;
        let entries = (0..count).map(|_| {
            let behind = wire::split(inputs).map_or(inputs, |(_, behind)| behind);
            let (entry, rest) = inputs.split_at(inputs.len() - behind.len());
            inputs = rest;
            entry
        });
        let append = |batch: &mut Vec<u8>, entry: &&[u8]| {
            if let Some((Err(TaskFailure::UnsendableInput { reason }), _)) = wire::split(entry) {
                return Err(reason);
            }
            batch.extend_from_slice(entry);
            Ok(Attachments::default())
        };
        let mut chunker = Chunker::new(&self.supervisor, call, entries, append, None);
        loop {
            chunker.send(|_| false);
            if chunker.is_done() {
                return Ok(());
            }
            for some in chunker.take()? {
                chunker.done += some.count;
                report(Part {
                    first: some.first,
                    count: some.count,
                    each_took: some.each,
                    results: some.into_bytes(),
                });
            }
        }
    }
}

//! A worker as its pool sees it.

use std::collections::VecDeque;
use std::time::Instant;

use crate::pool::byte_channel::ByteChannel;
use crate::pool::job::Batch;
use crate::pool::message::{Request, WorkerId};
use crate::process::join_handle::JoinHandle;
use crate::transfer::attachments::Attachments;

pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) handle: JoinHandle<()>,
    /// Its batches; the pool can cancel those that it has not begun.
    pub(crate) requests: ByteChannel,
    /// Handles in the arguments of the initializer, until it was called.
    pub(crate) setup: Option<Attachments>,
    /// Whether its requests are closed: nothing more will come.
    pub(crate) closed: bool,
    /// Batches that it has, oldest first, by their numbers.
    pub(crate) has: VecDeque<(u32, Batch)>,
    pub(crate) ready: bool,
    /// Whether it did not begin what it was given, as if it had been stopped.
    pub(crate) stuck: bool,
    /// When a batch was last sent to it, or an event came from it.
    pub(crate) last: Instant,
    /// How many batches it may have.
    pub(crate) depth: usize,
}

impl Worker {
    pub(super) fn is_idle(&self) -> bool {
        self.ready && self.has.is_empty() && !self.closed && !self.stuck
    }

    /// Cancels a batch that the worker has not begun; `None` if it has begun all.
    pub(super) fn cancel(&mut self) -> Option<Batch> {
        loop {
            let message = self.requests.try_get()?;
            let (request, _) = Request::read(&message)?;
            if let Some(batch) = self.remove_batch(request.batch) {
                return Some(batch);
            }
        }
    }

    pub(super) fn remove_batch(&mut self, id: u32) -> Option<Batch> {
        let place = self.has.iter().position(|&(has, _)| has == id)?;
        self.has.remove(place).map(|(_, batch)| batch)
    }

    /// Returns whether the worker has taken none of what it was given.
    pub(super) fn has_begun_nothing(&self) -> bool {
        !self.has.is_empty() && self.requests.len() >= self.has.len()
    }
}

//! A channel between a pool and its workers: messages of bytes, in one direction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::channel::mpmc::{Mpmc, Stop};
use crate::errors::error::{self, Error};
use crate::memory::segment::Segment;
use crate::platform::wait_until::WaitUntil;
use crate::transfer::block::Message;
use crate::transfer::handle::handle;

/// A channel; clones of it, and what arrives in another process, are the same channel.
#[derive(Clone)]
pub(crate) struct ByteChannel(Arc<Mpmc>);

/// The content of its segment, as errors name it.
const CONTENT: &str = "a channel of a Pool";

impl ByteChannel {
    pub(crate) fn new() -> error::Result<ByteChannel> {
        let segment = Mpmc::segment(1).map_err(|source| Error::memory(CONTENT, source))?;
        Ok(ByteChannel::of(segment))
    }

    fn of(segment: Arc<Segment>) -> ByteChannel {
        ByteChannel(Arc::new(Mpmc::new(segment, 0, None)))
    }

    /// Puts a message, without waiting; the error says why that failed.
    pub(crate) fn put(&self, message: &[u8]) -> Result<(), String> {
        let put = self.0.put(message, WaitUntil::Until(None));
        put.map(drop).map_err(explain)
    }

    /// Returns the number of messages in it.
    pub(crate) fn len(&self) -> usize {
        self.0.rings.len() as usize
    }

    /// Takes the next message if there is one.
    pub(crate) fn try_get(&self) -> Option<Vec<u8>> {
        // Doesn't wait for a process that was stopped while it takes a message.
        const SLICE: Duration = Duration::from_millis(20);
        if self.0.rings.is_empty() {
            return None;
        }
        self.get(Some(SLICE)).ok()?
    }

    /// Takes the next message; `None` if none came in time. The error says why none will come, for example since the
    /// channel is closed.
    pub(crate) fn get(&self, limit: Option<Duration>) -> Result<Option<Vec<u8>>, String> {
        let mut message = Vec::new();
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let receive = &mut |arrived: Message<'_>| arrived.copy_to(&mut message);
        match self.0.take(receive, WaitUntil::Until(deadline)) {
            Ok(_) => Ok(Some(message)),
            Err(Stop::NotNow) => Ok(None),
            Err(stop) => Err(explain(stop)),
        }
    }

    /// Lets the other side know that nothing more will be put.
    pub(crate) fn close(&self) {
        // It fails only where the system refuses a lock; then the workers are ended with the pool.
        let _ = self.0.close();
    }
}

fn explain(stop: Stop) -> String {
    match stop {
        Stop::NotNow => "the time is over".to_owned(),
        Stop::Closed => "the channel is closed".to_owned(),
        Stop::System(error) => crate::platform::limits::explained(&error),
    }
}

handle!(
    ByteChannel,
    CONTENT,
    |channel| Ok((&channel.0.rings.segment, ())),
    |segment, ()| Ok(ByteChannel::of(segment)),
);

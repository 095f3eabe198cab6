//! The results of a pool one by one, while the inputs are still being read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::errors::error::Result;
use crate::pool::chunker::{ChunkSize, Chunker, MAX_AHEAD, Write};
use crate::pool::collect::failed;
use crate::pool::job::{Arrived, Job};
use crate::pool::supervisor::Supervisor;

/// The results of [`Pool::imap`](crate::Pool::imap) and [`Pool::imap_unordered`](crate::Pool::imap_unordered).
///
/// Inputs are read from their iterator when results are asked for, a bounded number ahead. Each result is a `Result`:
/// a failure does not end the iteration.
///
/// The thread that asks for a result reads the inputs, so none comes while the iterator of the inputs waits. An
/// input that depends on an earlier result would wait for ever: for such work use [`Pool::apply_async`] or a
/// [`Queue`](crate::Queue). (Python's inputs are read by a thread of its own, without limit.)
///
/// If the iterator of the inputs panics, the results of the inputs before it are given first; then
/// [`next`](Iterator::next) panics with the same panic, once, and after that returns `None`.
///
/// [`Pool::apply_async`]: crate::Pool::apply_async
#[must_use = "the inputs are not read before results are asked for"]
pub struct Imap<'a, I: Iterator, R> {
    supervisor: &'a Arc<Supervisor>,
    call: Arc<Job>,
    chunker: Chunker<Single<I>, Write<(I::Item,)>>,
    size: ChunkSize,
    ordered: bool,
    /// Number of the result that comes next, where they come in order.
    next: usize,
    /// Results that came before their turn, by number.
    early: BTreeMap<usize, Result<R>>,
    ready: VecDeque<Result<R>>,
    /// Results that were given to the caller.
    given: usize,
    over: bool,
}

/// Makes tuples of one.
pub(crate) struct Single<I>(pub(crate) I);

impl<I: Iterator> Iterator for Single<I> {
    type Item = (I::Item,);

    fn next(&mut self) -> Option<(I::Item,)> {
        self.0.next().map(|input| (input,))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a, I, R> Imap<'a, I, R>
where
    I: Iterator,
{
    pub(crate) fn new(
        supervisor: &'a Arc<Supervisor>,
        call: Arc<Job>,
        chunk: Option<usize>,
        inputs: I,
        write: Write<(I::Item,)>,
        ordered: bool,
    ) -> Imap<'a, I, R> {
        Imap {
            chunker: Chunker::new(&call, Single(inputs), write),
            size: ChunkSize::new(chunk, MAX_AHEAD, supervisor.size()),
            supervisor,
            call,
            ordered,
            next: 0,
            early: BTreeMap::new(),
            ready: VecDeque::new(),
            given: 0,
            over: false,
        }
    }

    fn take_in(&mut self, arrived: Arrived)
    where
        R: DeserializeOwned + 'static,
    {
        if let Ok(payload) = &arrived.outcome {
            self.size.learn(arrived.count, payload.took);
        }
        arrived.for_each(|index, result| {
            let result = result.map_err(|failure| failed(self.call.function, index, failure));
            if self.ordered {
                self.early.insert(index, result);
            } else {
                self.ready.push_back(result);
            }
        });
        while let Some(result) = self.early.remove(&self.next) {
            self.next += 1;
            self.ready.push_back(result);
        }
    }
}

impl<I, R> Iterator for Imap<'_, I, R>
where
    I: Iterator,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        while !self.over {
            let (call, is_ready) = (&self.call, !self.ready.is_empty());
            let urgent = || is_ready || call.has_some();
            self.chunker
                .send(self.supervisor, self.size, self.given, urgent);
            if let Some(result) = self.ready.pop_front() {
                self.given += 1;
                return Some(result);
            }
            if self.chunker.is_exhausted() && self.given == self.chunker.sent() {
                self.over = true;
                break;
            }
            match self.call.take(None) {
                Ok(arrived) => arrived.into_iter().for_each(|some| self.take_in(some)),
                Err(end) => {
                    self.over = true;
                    return Some(Err(end.into()));
                }
            }
        }
        self.chunker.resume_panic();
        None
    }
}

impl<I: Iterator, R> std::fmt::Debug for Imap<'_, I, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imap")
            .field("function", &self.call.function)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

impl<I: Iterator, R> Drop for Imap<'_, I, R> {
    fn drop(&mut self) {
        self.call.abandon();
    }
}

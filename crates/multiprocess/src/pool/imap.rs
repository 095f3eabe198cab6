//! The results of a pool one by one, while the inputs are still being read.

use std::collections::VecDeque;
use std::iter;

use serde::de::DeserializeOwned;

use crate::errors::error::Result;
use crate::errors::task_failure::TaskFailure;
use crate::pool::chunker::Chunker;
use crate::pool::result::{InOrder, failed};
use crate::transfer::attachments::Attachments;

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
    pub(super) chunker: Chunker<'a, Tuples<I>, Append<(I::Item,)>>,
    /// `None` if the results come as they arrive.
    pub(super) in_order: Option<InOrder>,
    /// Results that come next.
    pub(super) ready: VecDeque<Result<R>>,
}

/// Inputs as the arguments of a function.
pub(super) type Tuples<I> = iter::Map<I, fn(<I as Iterator>::Item) -> (<I as Iterator>::Item,)>;

type Append<T> = fn(&mut Vec<u8>, &T) -> Result<Attachments, String>;

impl<I, R> Iterator for Imap<'_, I, R>
where
    I: Iterator,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let function = self.chunker.call.0.function;
        loop {
            let is_ready = !self.ready.is_empty();
            self.chunker.send(|call| is_ready || call.has_some());
            if is_ready {
                self.chunker.done += 1;
                return self.ready.pop_front();
            }
            if self.chunker.is_done() {
                self.chunker.resume_panic();
                return None;
            }
            let arrived = match self.chunker.take() {
                Ok(arrived) => arrived,
                Err(end) => return Some(Err(end.into())),
            };
            let mut each = |index, result: Result<R, TaskFailure>| {
                let result = result.map_err(|failure| failed(function, index, failure));
                self.ready.push_back(result);
            };
            for some in arrived {
                match &mut self.in_order {
                    Some(in_order) => in_order.add(some, &mut each),
                    None => some.for_each(&mut each),
                }
            }
        }
    }
}

impl<I: Iterator, R> std::fmt::Debug for Imap<'_, I, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imap")
            .field("function", &self.chunker.call.0.function)
            .field("given", &self.chunker.done)
            .finish_non_exhaustive()
    }
}

//! The iterator over the results of a pool, which reads the inputs as it goes.

use std::collections::VecDeque;
use std::iter;

use serde::de::DeserializeOwned;

use crate::errors::error::Result;
use crate::errors::task_failure::TaskFailure;
use crate::pool::chunker::Chunker;
use crate::pool::result::{InOrder, failed};
use crate::transfer::attachments::Attachments;

/// The iterator returned by [`Pool::imap`](crate::Pool::imap) and
/// [`Pool::imap_unordered`](crate::Pool::imap_unordered).
///
/// It is lazy: [`next`](Iterator::next) reads inputs from their iterator, a bounded number ahead. Each item is a
/// `Result`: a failed input doesn't end the iteration.
///
/// The thread that calls `next` reads the inputs, so it gets no results while the iterator of the inputs waits. An
/// input that depends on an earlier result would wait forever: for such work, use [`Pool::apply_async`] or a
/// [`Queue`](crate::Queue). (In Python, a separate thread reads the inputs, without limit.)
///
/// If the iterator of the inputs panics, you first get the results of the inputs before it; then `next` panics once
/// with the same panic, and after that returns `None`.
///
/// [`Pool::apply_async`]: crate::Pool::apply_async
#[must_use = "an iterator is lazy: no input is read until you call `next`"]
pub struct Imap<'a, I: Iterator, R> {
    pub(super) chunker: Chunker<'a, Tuples<I>, Append<(I::Item,)>>,
    /// `None` if results are yielded in the order in which they arrive.
    pub(super) in_order: Option<InOrder>,
    /// The next results.
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

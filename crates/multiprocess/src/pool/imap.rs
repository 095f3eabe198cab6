//! The results of a pool one by one, while the inputs are still being read.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;

use crate::errors::error::Result;
use crate::pool::chunker::{Chunker, MAX_AHEAD, Write};
use crate::pool::job::{Arrived, Caller};
use crate::pool::result::failed;
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
    chunker: Chunker<'a, Tuples<I>, Write<(I::Item,)>>,
    pub(super) ordered: bool,
    /// Results that come next; `None` for one that has not arrived.
    ahead: VecDeque<Option<Result<R>>>,
}

/// Inputs as the arguments of a function.
type Tuples<I> = std::iter::Map<I, fn(<I as Iterator>::Item) -> (<I as Iterator>::Item,)>;

impl<'a, I: Iterator, R: DeserializeOwned + 'static> Imap<'a, I, R> {
    pub(super) fn new(
        supervisor: &'a Supervisor,
        call: Caller,
        inputs: I,
        write: Write<(I::Item,)>,
        chunk: Option<usize>,
    ) -> Imap<'a, I, R> {
        let inputs: Tuples<I> = inputs.map(|input| (input,));
        let mut chunker = Chunker::new(supervisor, call, inputs, write, chunk);
        chunker.most = MAX_AHEAD;
        Imap {
            chunker,
            ordered: true,
            ahead: VecDeque::new(),
        }
    }

    fn add(&mut self, arrived: Arrived) {
        let function = self.chunker.call.0.function;
        arrived.for_each(|index, result| {
            let result = result.map_err(|failure| failed(function, index, failure));
            if !self.ordered {
                return self.ahead.push_back(Some(result));
            }
            let place = index - self.chunker.done;
            if place >= self.ahead.len() {
                self.ahead.resize_with(place + 1, || None);
            }
            self.ahead[place] = Some(result);
        });
    }
}

impl<I, R> Iterator for Imap<'_, I, R>
where
    I: Iterator,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        loop {
            let is_ready = self.ahead.front().is_some_and(Option::is_some);
            self.chunker.send(|call| is_ready || call.has_some());
            if is_ready {
                self.chunker.done += 1;
                return self.ahead.pop_front().flatten();
            }
            if self.chunker.is_done() {
                self.chunker.resume_panic();
                return None;
            }
            match self.chunker.take() {
                Ok(arrived) => arrived.into_iter().for_each(|some| self.add(some)),
                Err(end) => return Some(Err(end.into())),
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

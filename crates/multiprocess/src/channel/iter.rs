//! Messages one after the other, until the end.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::channel::peers::Peers;
use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::memory::timeout::Timeout;

/// What comes out of a [`Queue`](crate::Queue), a [`Receiver`](crate::Receiver) or a
/// [`Connection`](crate::Connection), until its end; each step waits.
///
/// A message that cannot be read is an `Err`, after which it goes on; any other `Err` is the last.
#[must_use = "an iterator takes nothing until it is asked to"]
pub struct Iter<'a, T> {
    /// `None` when there is no more.
    messages: Option<&'a Typed<T>>,
    putters: Option<&'a Peers>,
}

impl<'a, T> Iter<'a, T> {
    pub(crate) fn new(messages: &'a Typed<T>, putters: Option<&'a Peers>) -> Iter<'a, T> {
        Iter {
            messages: Some(messages),
            putters,
        }
    }
}

impl<T: DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let taken = self.messages?.take(Timeout::None, self.putters);
        match taken {
            Ok(_) | Err(Error::Unreadable { .. }) => Some(taken),
            Err(Error::Closed { .. }) => {
                self.messages = None;
                None
            }
            Err(_) => {
                self.messages = None;
                Some(taken)
            }
        }
    }
}

impl<T: DeserializeOwned> std::iter::FusedIterator for Iter<'_, T> {}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter")
            .field("at_end", &self.messages.is_none())
            .finish_non_exhaustive()
    }
}

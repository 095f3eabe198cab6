//! Messages one after the other, until the end; and what all that have messages to take have in common.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::platform::wait_until::WaitUntil;

/// What comes out of a [`Queue`](crate::Queue), a [`Receiver`](crate::Receiver) or a
/// [`Connection`](crate::Connection), until its end; each step waits.
///
/// A message that cannot be read is an `Err`, after which it goes on; any other `Err` is the last.
#[must_use = "an iterator takes nothing until it is asked to"]
pub struct Iter<'a, T> {
    /// `None` when there is no more.
    pub(crate) messages: Option<&'a Typed<T>>,
}

impl<T: DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let taken = self.messages?.take(WaitUntil::Until(None));
        if !matches!(taken, Ok(_) | Err(Error::Unreadable { .. })) {
            self.messages = None;
        }
        match taken {
            Err(Error::Closed { .. }) => None,
            taken => Some(taken),
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

/// Implements `iter`, and [`Waitable`](crate::Waitable), by `incoming`, which returns the messages.
macro_rules! incoming {
    ($end:ident<$($any:ident),+>, $message:ident) => {
        impl<$($any),+> $end<$($any),+>
        where
            $message: DeserializeOwned,
        {
            /// Takes messages until there will be no more; waits for each.
            ///
            /// One that cannot be read is an `Err`, after which it goes on.
            pub fn iter(&self) -> Iter<'_, $message> {
                Iter {
                    messages: Some(self.incoming()),
                }
            }
        }

        impl<'a, $($any),+> IntoIterator for &'a $end<$($any),+>
        where
            $message: DeserializeOwned,
        {
            type Item = Result<$message>;
            type IntoIter = Iter<'a, $message>;

            fn into_iter(self) -> Iter<'a, $message> {
                self.iter()
            }
        }

        impl<$($any),+> Waitable for $end<$($any),+> {}

        impl<$($any),+> sealed::Sealed for $end<$($any),+> {
            #[allow(private_interfaces, reason = "as declared")]
            fn mpmc(&self) -> &Mpmc {
                &self.incoming().mpmc
            }
        }
    };
}
pub(crate) use incoming;

/// Implements receiving by `take`.
macro_rules! receives {
    ($end:ident<$($any:ident),+>, $message:ident, $python:literal, $error:literal) => {
        impl<$($any),+> $end<$($any),+>
        where
            $message: DeserializeOwned,
        {
            /// Receives the next message; waits until there is one.
            #[doc = $python]
            ///
            /// # Errors
            ///
            /// [`Error::Closed`] when there will be no more; [`Error::Unreadable`] if the message cannot be read back, in
            /// which case it is lost, and the next is received by the next call.
            #[doc = $error]
            pub fn recv(&self) -> Result<$message> {
                self.take(WaitUntil::Until(None))
            }

            /// Receives the next message if there is one.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv), and [`Error::Empty`] if there is nothing yet, or others were receiving for a
            /// millisecond.
            pub fn try_recv(&self) -> Result<$message> {
                self.take(WaitUntil::Try)
            }

            /// Receives the next message; waits for it, but not longer than `limit`.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv), and [`Error::Timeout`] if there was none in time.
            pub fn recv_timeout(&self, limit: Duration) -> Result<$message> {
                self.take(WaitUntil::within(limit))
            }
        }
    };
}
pub(crate) use receives;

//! The iterator over messages, and what queues, channels and pipes have in common.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::channel::typed::Typed;
use crate::errors::error::{Error, Result};
use crate::platform::wait_until::WaitUntil;

/// An iterator over the messages of a [`Queue`](crate::Queue), a [`Receiver`](crate::Receiver) or a
/// [`Connection`](crate::Connection), which waits for each until no more can come.
///
/// For a message that can't be read it yields an `Err`, and continues; after any other `Err` it ends.
#[must_use = "an iterator is lazy: it takes nothing until you call `next`"]
pub struct Iter<'a, T> {
    /// `None` after the end.
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

/// Implements the methods that take messages, with the given names, iteration, and [`Waitable`](crate::Waitable), using
/// the field that is a [`Typed`]. An optional method checks whether messages can be taken.
macro_rules! takes_messages {
    (
        $end:ident<$($any:ident),+>, $message:ident, $field:ident $(, $check:ident)?;
        $recv:ident $python:literal;
        $try_recv:ident $try_python:literal;
        $recv_timeout:ident $timeout_python:literal;
        $as_recv:literal $error:literal
    ) => {
        impl<$($any),+> $end<$($any),+>
        where
            $message: DeserializeOwned,
        {
            /// Takes the next message; waits until there is one.
            #[doc = $python]
            ///
            /// # Errors
            ///
            /// [`Error::Closed`] if no more messages can come; [`Error::Unreadable`] if the message can't be read. It
            /// is lost then, and the next call takes the next one.
            #[doc = $error]
            pub fn $recv(&self) -> Result<$message> {
                self.take(WaitUntil::Until(None))
            }

            /// Takes the next message if there is one, without waiting for it.
            #[doc = $try_python]
            ///
            /// # Errors
            ///
            #[doc = $as_recv]
            /// and [`Error::Empty`] if there is no message, or others kept it busy for a millisecond.
            pub fn $try_recv(&self) -> Result<$message> {
                self.take(WaitUntil::Try)
            }

            /// Takes the next message; waits for it at most `limit`.
            #[doc = $timeout_python]
            ///
            /// # Errors
            ///
            #[doc = $as_recv]
            /// and [`Error::Timeout`] if none came within `limit`.
            pub fn $recv_timeout(&self, limit: Duration) -> Result<$message> {
                self.take(WaitUntil::within(limit))
            }

            fn take(&self, limit: WaitUntil) -> Result<$message> {
                $(self.$check()?;)?
                self.$field.take(limit)
            }

            /// Returns an iterator that waits for each message, until no more can come; see [`Iter`](crate::Iter).
            pub fn iter(&self) -> $crate::Iter<'_, $message> {
                let messages: &Typed<$message> = &self.$field;
                let messages = Some(messages);
                $crate::Iter { messages }
            }
        }

        impl<'a, $($any),+> IntoIterator for &'a $end<$($any),+>
        where
            $message: DeserializeOwned,
        {
            type Item = Result<$message>;
            type IntoIter = $crate::Iter<'a, $message>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl<$($any),+> $crate::Waitable for $end<$($any),+> {}

        impl<$($any),+> $crate::channel::select::sealed::Sealed for $end<$($any),+> {
            #[allow(private_interfaces, reason = "as declared")]
            fn source(&self) -> &dyn $crate::channel::select::Source {
                &self.$field.mpmc
            }
        }
    };
}
pub(crate) use takes_messages;

/// Implements what a queue and the halves of a channel have in common: their clones share one `end`, an
/// `Arc<Typed<T>>`. The last arguments are its type, which another process compares, and its side.
macro_rules! is_shared {
    ($end:ident, $len_python:literal, $is_empty_python:literal, $content:expr, $side:expr) => {
        impl<T> $end<T> {
            /// Returns the number of messages in it at this moment. Another process may change that at any time.
            #[doc = $len_python]
            #[must_use]
            pub fn len(&self) -> usize {
                self.end.mpmc.rings.len() as usize
            }

            /// Returns whether it contains no messages at this moment.
            #[doc = $is_empty_python]
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Returns the maximum number of messages that it holds; `None` if it has no limit.
            #[must_use]
            pub fn capacity(&self) -> Option<usize> {
                self.end.mpmc.rings.capacity()
            }
        }

        /// Returns another handle to the same messages, not a copy of them.
        impl<T> Clone for $end<T> {
            fn clone(&self) -> $end<T> {
                let end = Arc::clone(&self.end);
                $end { end }
            }
        }

        impl<T> std::fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($end))
                    .field("messages", &type_name::<T>())
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .field("memory", &self.end.mpmc.rings.slot)
                    .finish()
            }
        }

        $crate::transfer::handle::handle!(
            $end<T: DeserializeOwned + 'static>,
            $content,
            |this| Ok((this.end.depart()?, ())),
            |memory, ()| {
                let side: Option<peers::Side> = $side;
                let token = side.map(|side| peers::arrive(&memory, side)).transpose()?;
                let end = Typed::shared(memory, token, content::<T>);
                Ok($end { end })
            },
        );
    };
}
pub(crate) use is_shared;

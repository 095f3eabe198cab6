//! The error for a message that was not sent, which contains the message.

use std::fmt;

use crate::errors::error::Error;

/// A message that was not sent, and why. `?` turns this into an [`Error`], without the message.
///
/// # Examples
///
/// ```
/// let queue = multiprocess::Queue::bounded(1)?;
/// queue.put("first".to_owned())?;
/// let refused = queue.try_put("second".to_owned()).unwrap_err();
/// assert!(refused.is_would_block());
/// assert_eq!(refused.into_inner(), "second");
/// # Ok::<(), multiprocess::Error>(())
/// ```
pub struct SendError<T> {
    // One pointer, so that the `Ok` of a `Result` stays small.
    inside: Box<(T, Error)>,
}

impl<T> SendError<T> {
    pub(crate) fn new(message: T, error: Error) -> SendError<T> {
        SendError {
            inside: Box::new((message, error)),
        }
    }

    /// Returns the message.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inside.0
    }

    /// Returns why it was not sent.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.inside.1
    }

    /// Returns the message, and why it was not sent.
    #[must_use]
    pub fn into_parts(self) -> (T, Error) {
        *self.inside
    }

    /// Returns whether the call would have had to wait for room: [`Error::is_would_block`].
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        self.error().is_would_block()
    }

    /// Returns whether the call timed out while it waited for room: [`Error::is_timeout`].
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.error().is_timeout()
    }

    /// Returns whether the queue was closed, or no receiver is left: [`Error::is_closed`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.error().is_closed()
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("error", self.error())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(f)
    }
}

impl<T> std::error::Error for SendError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().source()
    }
}

impl<T> From<SendError<T>> for Error {
    fn from(refused: SendError<T>) -> Error {
        refused.inside.1
    }
}

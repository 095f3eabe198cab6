//! The handles of the `ipc-channel` package in a value, in the form that is sent.

use std::os::fd::OwnedFd;

/// The most open files that travel with one value: the handles of `ipc-channel`, and the file of a large value.
pub(crate) const MAX_FILES: usize = 65;

/// The handles of one value: what has to reach the other process besides its bytes.
#[derive(Default, Debug)]
pub(crate) struct Handles {
    /// The message that `ipc-channel` made, which is passed to it unread.
    pub(crate) packet: Vec<u8>,
    /// The open files that go with the message.
    pub(crate) files: Vec<OwnedFd>,
}

impl Handles {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

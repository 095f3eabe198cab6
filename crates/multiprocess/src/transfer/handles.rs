//! The handles of the `ipc-channel` package in a value, as they travel.

use std::os::fd::OwnedFd;

/// Open files that travel with one value at most: the handles of `ipc-channel`, and the file of a large value.
pub(crate) const MOST_FILES: usize = 65;

/// The handles of one value: what has to reach the other process besides its bytes.
#[derive(Default, Debug)]
pub(crate) struct Handles {
    /// The message that `ipc-channel` made, to be given back to it unread.
    pub(crate) packet: Vec<u8>,
    /// The open files that go with the message.
    pub(crate) files: Vec<OwnedFd>,
}

impl Handles {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

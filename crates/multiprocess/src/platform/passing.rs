//! Sending open files together with bytes through sockets.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::{Result, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, send, sendmsg,
};

/// The maximum number of files that are sent together.
pub(crate) const MAX_FILES: usize = 64;

/// Makes writing to a process that has ended an error instead of a signal. Apple's systems have no such flag, but Rust
/// programs ignore the signal anyway.
#[cfg(not(target_vendor = "apple"))]
const FLAGS: (SendFlags, RecvFlags) = (SendFlags::NOSIGNAL, RecvFlags::CMSG_CLOEXEC);
#[cfg(target_vendor = "apple")]
const FLAGS: (SendFlags, RecvFlags) = (SendFlags::empty(), RecvFlags::empty());

/// Sends at least one byte, and the files with the first one.
pub(crate) fn send_all(socket: &impl AsFd, bytes: &[u8], files: &[OwnedFd]) -> Result<()> {
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_FILES))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&files));
    }
    let first = [IoSlice::new(bytes)];
    let mut sent = retry_on_intr(|| sendmsg(socket, &first, &mut ancillary, FLAGS.0))?;
    while sent < bytes.len() {
        sent += retry_on_intr(|| send(socket, &bytes[sent..], FLAGS.0))?;
    }
    Ok(())
}

/// Receives bytes, and adds the files that came with them. Returns how many bytes, and whether all files could be
/// taken.
pub(crate) fn receive(
    socket: &impl AsFd,
    buffer: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> Result<(usize, bool)> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_FILES))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let buffer = &mut [IoSliceMut::new(buffer)];
    let received = retry_on_intr(|| recvmsg(socket, buffer, &mut ancillary, FLAGS.1))?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(arrived) = message {
            files.extend(arrived);
        }
    }
    let all = !received.flags.contains(ReturnFlags::CTRUNC);
    Ok((received.bytes, all))
}

//! The control socket between a parent and its child: a pair of sockets for a few small frames each way.
//!
//! The child's end is its standard input, so it needs no name, and closes when the process ends. A value of more than
//! [`INLINE`] bytes is sent as the descriptor of an anonymous file, so a frame always fits into the socket's buffer,
//! and neither side ever waits for the other to read.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use bytemuck::{CheckedBitPattern, NoUninit};
use rustix::io::Errno;

use crate::memory::anonymous_file;
use crate::platform::limits;
use crate::platform::passing::{receive, send_all};
use crate::transfer::attachments::Attachments;
use crate::transfer::envelope::Envelope;

/// Bytes of a value that travel within the frame.
const INLINE: usize = 32 * 1024;

#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, NoUninit, CheckedBitPattern)]
pub(crate) enum Kind {
    /// Parent to child: its name and the function to run.
    Start,
    /// Parent to child: the arguments.
    Arguments,
    /// Child to parent: it has read its start and is about to run the function.
    Started,
    /// Child to parent: it has read the arguments.
    Unpacked,
    /// Child to parent: the function's result.
    Answer,
    /// Child to parent: a [`Failure`](crate::errors::failure::Failure) instead of the result.
    Failed,
}

/// The fixed beginning of each frame.
#[repr(C)]
#[derive(Clone, Copy, NoUninit, CheckedBitPattern)]
struct Header {
    kind: Kind,
    files: u32,
    /// The length of the value; more than [`INLINE`] bytes are in the first of the files.
    bytes: u64,
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A frame ready to be sent: everything that can fail for lack of memory is done.
pub(crate) struct Frame {
    inline: Vec<u8>,
    files: Vec<OwnedFd>,
}

impl Frame {
    /// Makes a frame of a value, whose attachments the caller keeps.
    pub(crate) fn new(kind: Kind, envelope: Envelope) -> io::Result<(Frame, Attachments)> {
        let Envelope {
            bytes,
            mut files,
            attachments,
        } = envelope;
        let stored = bytes.len() > INLINE;
        if stored {
            files.insert(0, anonymous_file::holding(&bytes)?);
        }
        let header = Header {
            kind,
            files: u32::try_from(files.len()).expect("a frame has few files"),
            bytes: bytes.len() as u64,
        };
        let mut inline = bytemuck::bytes_of(&header).to_vec();
        if !stored {
            inline.extend_from_slice(&bytes);
        }
        Ok((Frame { inline, files }, attachments))
    }

    /// Sends the frame. If the other process is gone, it fails with `BrokenPipe` or `ConnectionReset`.
    pub(crate) fn send(&self, socket: &UnixStream) -> io::Result<()> {
        Ok(send_all(socket, &self.inline, &self.files)?)
    }
}

/// Receives one frame; `None` if the other process is gone, or if nothing has arrived and the socket doesn't block.
///
/// A frame that was cut off by its sender's death counts as not sent.
pub(crate) fn receive_frame(socket: &UnixStream) -> io::Result<Option<(Kind, Envelope)>> {
    let mut files = Vec::new();
    let mut header = [0; size_of::<Header>()];
    if !fill(socket, &mut header, &mut files)? {
        return Ok(None);
    }
    let header: Header = bytemuck::checked::try_pod_read_unaligned(&header)
        .map_err(|_| broken("a frame of an unknown kind"))?;
    let length = usize::try_from(header.bytes).map_err(|_| broken("a value larger than memory"))?;
    let stored = length > INLINE;
    let mut bytes = vec![0; if stored { 0 } else { length }];
    if !fill(socket, &mut bytes, &mut files)? {
        return Ok(None);
    }
    if u32::try_from(files.len()) != Ok(header.files) || stored && files.is_empty() {
        let why = limits::too_few_descriptors();
        let what = "open files that travelled with a value are missing";
        return Err(broken(&format!("{what}: {why}")));
    }
    if stored {
        bytes = whole(&File::from(files.remove(0)), length)?;
    }
    let envelope = Envelope {
        bytes,
        files,
        ..Envelope::default()
    };
    Ok(Some((header.kind, envelope)))
}

/// Reads a value of that length out of its file.
fn whole(file: &File, length: usize) -> io::Result<Vec<u8>> {
    if file.metadata()?.len() < length as u64 {
        return Err(broken("a value longer than its file"));
    }
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(length);
    reserved.map_err(|_| broken("a value larger than the memory that is free"))?;
    bytes.resize(length, 0);
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Fills the buffer; returns false if the other process is gone, or if too little has arrived and the socket doesn't
/// block.
fn fill(socket: &UnixStream, buffer: &mut [u8], files: &mut Vec<OwnedFd>) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match receive(socket, &mut buffer[filled..], files) {
            Ok((0, _)) | Err(Errno::AGAIN | Errno::CONNRESET) => return Ok(false),
            Ok((received, _)) => filled += received,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}

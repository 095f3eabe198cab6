//! The control socket between a parent and its child: a pair of sockets for a few small frames each way.
//!
//! The child's end is its standard input, so it needs no name, and closes when the process ends. A value is sent with the
//! references of the handles in it. Of both, a frame contains [`INLINE`] bytes at most, and the descriptor of an anonymous
//! file with what is longer. So it always fits into the socket's buffer, and neither side ever waits for the other to read.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use bytemuck::{CheckedBitPattern, NoUninit};
use rustix::io::Errno;

use crate::memory::anonymous_file;
use crate::memory::liveness::UniquePid;
use crate::memory::owner::Owner;
use crate::memory::reference::Reference;
use crate::memory::sent::Sent;
use crate::platform::limits;
use crate::platform::passing::{receive, send_all};
use crate::transfer::attachments::Attachments;
use crate::transfer::envelope::Envelope;

/// Bytes that travel within the frame.
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
    /// The number of references, which come before the value.
    sent: u64,
    /// The length of the value.
    bytes: u64,
}

/// How many bytes of the references and of the value a frame contains, and how many are in the first of its files.
struct Parts {
    sent: usize,
    bytes: usize,
    stored: usize,
}

impl Parts {
    /// Returns `None` if both are longer than the memory.
    fn of(sent: usize, bytes: usize) -> Option<Parts> {
        let stored = |sent, stored| Parts {
            sent,
            bytes: 0,
            stored,
        };
        Some(match sent.checked_add(bytes)? {
            ..=INLINE => Parts {
                sent,
                bytes,
                stored: 0,
            },
            // The references can be released even if the file doesn't arrive.
            _ if sent <= INLINE => stored(sent, bytes),
            both => stored(0, both),
        })
    }
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
            ..
        } = envelope;
        let sent: Vec<Sent> = attachments.references().map(Reference::sent).collect();
        let sent: &[u8] = bytemuck::cast_slice(&sent);
        let parts = Parts::of(sent.len(), bytes.len()).expect("both are in memory");
        if parts.stored > bytes.len() {
            files.insert(0, anonymous_file::holding(&[sent, &bytes].concat())?);
        } else if parts.stored > 0 {
            files.insert(0, anonymous_file::holding(&bytes)?);
        }
        let header = Header {
            kind,
            files: u32::try_from(files.len()).expect("a frame has few files"),
            sent: (sent.len() / size_of::<Sent>()) as u64,
            bytes: bytes.len() as u64,
        };
        let mut inline = bytemuck::bytes_of(&header).to_vec();
        inline.extend_from_slice(&sent[..parts.sent]);
        inline.extend_from_slice(&bytes[..parts.bytes]);
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
    let length = |count: u64, each| usize::try_from(count).ok()?.checked_mul(each);
    let lengths = length(header.sent, size_of::<Sent>()).zip(length(header.bytes, 1));
    let parts = lengths.and_then(|(sent, bytes)| Some((sent, Parts::of(sent, bytes)?)));
    let (all_sent, parts) = parts.ok_or_else(|| broken("a value larger than memory"))?;
    let mut bytes = vec![0; parts.sent + parts.bytes];
    if !fill(socket, &mut bytes, &mut files)? {
        return Ok(None);
    }
    let mut sent = take_references(&mut bytes, parts.sent);
    if parts.stored > 0 {
        let stored = read_first(&mut files, parts.stored);
        bytes = stored.inspect_err(|_| passed_on().release_all(&sent))?;
        sent.extend(take_references(&mut bytes, all_sent - parts.sent));
    }
    let received = files.len() + usize::from(parts.stored > 0);
    if u32::try_from(received) != Ok(header.files) {
        passed_on().release_all(&sent);
        return Err(missing());
    }
    let envelope = Envelope {
        bytes,
        files,
        sent,
        ..Envelope::default()
    };
    Ok(Some((header.kind, envelope)))
}

/// The owner of references that have arrived here.
fn passed_on() -> Owner {
    Owner::transit(UniquePid::current())
}

fn missing() -> io::Error {
    let why = limits::too_few_descriptors();
    let what = "open files that travelled with a value are missing";
    broken(&format!("{what}: {why}"))
}

/// Returns the references at the beginning of some bytes, and removes them there.
fn take_references(bytes: &mut Vec<u8>, length: usize) -> Vec<Sent> {
    let rest = bytes.split_off(length);
    bytemuck::pod_collect_to_vec(&std::mem::replace(bytes, rest))
}

/// Reads that many bytes out of the first of the files, and removes it.
fn read_first(files: &mut Vec<OwnedFd>, length: usize) -> io::Result<Vec<u8>> {
    if files.is_empty() {
        return Err(missing());
    }
    let file = File::from(files.remove(0));
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

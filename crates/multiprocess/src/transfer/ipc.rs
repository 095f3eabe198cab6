//! Senders, receivers and shared memory of the `ipc-channel` package: they can travel in arguments and results, but not
//! elsewhere.
//!
//! An `IpcSender` serialises itself as a number, and puts the open socket for that number into a list of the
//! thread, which the thread's next `IpcSender::send` empties. The list is private to `ipc-channel`, so code that
//! serialises such a value elsewhere has to send something through `ipc-channel` to get the sockets:
//!
//! 1. If the value contains a number that may stand for a handle, [`take_files`] sends an empty message through a
//!    [`bridge`]: a socket with one end for `ipc-channel` and one for us. We send the open files that arrive at our end
//!    to the other process.
//! 2. There, [`within`] sends them with such a message from our end of a bridge, and `ipc-channel` receives it at its
//!    end. The value is deserialised during that reception, when its numbers refer to the sockets again.

mod bridge;
mod watching;

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory};
use serde::{Deserialize, Deserializer, Serialize};

use crate::platform::limits::explained;
use crate::platform::passing;
use crate::transfer::caught;
use crate::transfer::ipc::watching::{BEYOND, LOWEST, may_hold_handles};

pub(crate) use watching::serialize;

/// The maximum number of handles in a value. A message of `ipc-channel` has space for one more, to detect too many.
const MAX_HANDLES: usize = 63;

const REFUSED: &str = "it holds a handle of ipc-channel, which travels only in the arguments and the result of a \
                       process; use this crate's own `channel` or `pipe`";

/// Makes `ipc-channel` measure the maximum size of its messages while there are free descriptors: without one it
/// panics, then and at each later message.
pub(crate) fn prepare() {
    let _ = channel().inspect(empty);
}

/// A channel that empties the thread's list, by messages that are never received.
type Channel = (IpcSender<()>, IpcReceiver<()>);

fn channel() -> Result<Channel, String> {
    // Two for the channel, and two for what it measures at its first use.
    check_free(4)?;
    ipc::channel().map_err(|error| explained(&error))
}

/// Empties the thread's list.
fn empty((sender, _): &Channel) {
    // With more handles than fit, `ipc-channel` panics, but still empties the list.
    let _ = caught::without_panic(|| sender.send(()));
}

/// Empties the thread's list, and returns how many handles of one kind were in it.
fn count_and_empty(channel: &Channel) -> Result<u64, String> {
    let counted = check_free(1).and_then(|()| {
        // Each is written as its place, which is behind all others of its kind.
        let last = (&channel.0, IpcSharedMemory::from_byte(0, 1));
        let places = postcard::to_stdvec(&last);
        let places = places.and_then(|bytes| postcard::from_bytes::<(u64, u64)>(&bytes));
        places.map_err(|error| error.to_string())
    });
    empty(channel);
    counted.map(|(sockets, regions)| sockets.max(regions))
}

/// Returns an error if fewer descriptors are free, since `ipc-channel` panics without one.
fn check_free(count: usize) -> Result<(), String> {
    let pair = |_| UnixStream::pair().map_err(|error| explained(&error));
    let pairs: Result<Vec<_>, _> = (0..count.div_ceil(2)).map(pair).collect();
    pairs.map(drop)
}

/// A value whose handles are found while it is serialised on this thread; dropping this closes them.
struct Collector {
    /// Made before the value is serialised if its handles travel, so that they can be closed without new descriptors.
    channel: Option<Channel>,
    /// The lowest number in the enclosing value.
    outer: u64,
}

impl Collector {
    fn begin(channel: Option<Channel>) -> Collector {
        let outer = LOWEST.replace(BEYOND);
        Collector { channel, outer }
    }

    /// Closes the handles that were serialised, and returns how many of one kind there were.
    #[cold]
    fn close_handles(&mut self) -> Result<u64, String> {
        LOWEST.set(BEYOND);
        let channel = self.channel.take().map_or_else(channel, Ok)?;
        count_and_empty(&channel)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if LOWEST.get() < BEYOND {
            let _ = self.close_handles();
        }
        LOWEST.set(self.outer);
    }
}

/// Calls `write`, which serialises a `T`, and returns the open files of the handles in it.
pub(crate) fn collect_handles<T>(
    write: impl FnOnce() -> Result<(), String>,
) -> Result<Vec<OwnedFd>, String> {
    if !may_hold_handles::<T>() {
        return write().map(|()| Vec::new());
    }
    let channel = channel()?;
    // Handles that an earlier failure of other code left in the list.
    empty(&channel);
    let mut collector = Collector::begin(Some(channel));
    write()?;
    if LOWEST.get() == BEYOND {
        return Ok(Vec::new());
    }
    let (near, far) = match bridge::build() {
        Ok(ends) => ends,
        Err(_) if collector.close_handles() == Ok(0) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    LOWEST.set(BEYOND);
    let (_, files) = take_files(&near, &far)?;
    if files.len() > MAX_HANDLES {
        return Err(too_many());
    }
    Ok(files)
}

/// Sends an empty message through a bridge; returns it, and the files that were in the thread's list.
fn take_files(near: &IpcSender<Within>, far: &OwnedFd) -> Result<(Vec<u8>, Vec<OwnedFd>), String> {
    // It panics with more handles than fit.
    let sent = caught::without_panic(|| near.send(Within)).ok_or_else(too_many)?;
    sent.map_err(|error| error.to_string())?;
    bridge::take_packet(far).map_err(|error| explained(&error))
}

fn too_many() -> String {
    format!("it holds more than {MAX_HANDLES} handles of ipc-channel")
}

/// Calls `write`, which serialises a `T`; closes handles of `ipc-channel` in it, and returns an error if there were
/// any.
#[inline]
pub(crate) fn refuse_handles<T>(write: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    if !may_hold_handles::<T>() {
        return write();
    }
    let mut collector = Collector::begin(None);
    let written = write();
    let place = LOWEST.get();
    if place < BEYOND {
        let count = collector.close_handles();
        if written.is_ok() && place < count? {
            return Err(REFUSED.to_owned());
        }
    }
    written
}

/// Reads a value that arrived with these files: while `read` runs, the numbers in the value refer to them.
pub(crate) fn within<T: 'static>(
    files: Vec<OwnedFd>,
    read: impl FnOnce() -> T + 'static,
) -> Result<T, String> {
    let (near, far) = bridge::build()?;
    let (packet, _) = take_files(&near, &far)?;
    let receiver = reverse(near)?;
    // For `ipc-channel` to receive.
    passing::send_all(&far, &packet, &files).map_err(|error| explained(&error.into()))?;
    // The copies that were sent are enough.
    drop(files);
    let place = Rc::new(Cell::new(None));
    let read_value = Rc::clone(&place);
    READ.set(Some(Box::new(move || read_value.set(Some(read())))));
    receive(&receiver)?;
    Ok(place.take().expect("receiving `Within` calls it"))
}

thread_local! {
    /// The function to call during the reception of the handles.
    static READ: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A message without bytes of its own: those of the value take another way than its handles.
#[derive(Serialize)]
struct Within;

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Within, D::Error> {
        if let Some(read) = READ.take() {
            read();
        }
        Ok(Within)
    }
}

/// Makes the receiver of a socket from its sender.
///
/// A socket works both ways, but `ipc-channel` only connects senders. A message from the thread to itself
/// carries the sender, and is read as a receiver.
fn reverse(sender: IpcSender<Within>) -> Result<IpcReceiver<Within>, String> {
    check_free(3)?;
    let (loopback, reversed) = ipc::channel().map_err(|error| explained(&error))?;
    loopback.send(sender).map_err(|error| error.to_string())?;
    receive(&reversed.to_opaque().to::<IpcReceiver<Within>>())
}

/// Receives a message that has already arrived, so no signal interrupts that.
fn receive<T>(receiver: &IpcReceiver<T>) -> Result<T, String>
where
    T: for<'de> Deserialize<'de> + Serialize,
{
    receiver.recv().map_err(|error| match error {
        ipc_channel::IpcError::Io(error) => explained(&error),
        error => error.to_string(),
    })
}

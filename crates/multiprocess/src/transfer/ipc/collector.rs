//! Senders, receivers and shared memory of the `ipc-channel` package, travelling in values.
//!
//! An `IpcSender` serialises itself as a number, and puts the open socket for that number into a list of the
//! thread, which the thread's next `IpcSender::send` empties. The list is private to `ipc-channel`, so code that
//! serialises such a value elsewhere has to send something through `ipc-channel` to get the sockets:
//!
//! 1. [`Collector`] empties the list after each value by a message from the thread to itself. Most values
//!    hold no handle, and it ends here.
//! 2. Otherwise it sends the handles through a [`bridge`]: a socket whose one end belongs to `ipc-channel` and
//!    whose other end is ours. The packet with open files that arrives at our end goes to the other process unchanged.
//! 3. There the packet is put into a bridge at our end, `ipc-channel` receives it at its own, and the
//!    value is deserialised during that reception, where its numbers refer to the sockets again.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use ipc_channel::ipc::{self, IpcReceiver, IpcSender, IpcSharedMemory, OpaqueIpcSender};
use serde::de::value::{Error as IndexError, UsizeDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::limits::{explained, too_few_descriptors};
use crate::transfer::caught;
use crate::transfer::handles::Handles;
use crate::transfer::ipc::bridge;

/// The most handles that fit into one message of `ipc-channel`, less the one that does the counting.
const MAX_HANDLES: usize = 63;

/// Lets `ipc-channel` measure how large its messages may be, while there are free descriptors: without one it panics,
/// then and at each later message.
pub(crate) fn prepare() {
    let _ = Collector::begin().and_then(Collector::collect);
}

/// Collects the handles of a value that is serialised on this thread.
///
/// It is made before the value is serialised: once there are handles to collect, no step that needs a new descriptor
/// can fail before their collection.
pub(crate) struct Collector {
    sender: IpcSender<Sweep>,
    receiver: IpcReceiver<Sweep>,
}

impl Collector {
    /// Begins a collection, where a value of the type may hold handles.
    pub(crate) fn new<T>() -> Result<Option<Collector>, String> {
        // A type that needs no drop holds no open file.
        std::mem::needs_drop::<T>()
            .then(Collector::begin)
            .transpose()
    }

    /// Begins a collection. Discards handles that an earlier failure of other code left in the list.
    fn begin() -> Result<Collector, String> {
        let collector = Collector::make()?;
        // More of them than fit into a message are gone as well.
        let _ = collector.sweep();
        Ok(collector)
    }

    pub(super) fn make() -> Result<Collector, String> {
        // Two for the channel, and two for what it measures at its first use.
        check_free(4)?;
        let (sender, receiver) = ipc::channel().map_err(|error| explained(&error))?;
        Ok(Collector { sender, receiver })
    }

    /// Takes the handles that were serialised on this thread since the collection began.
    pub(crate) fn collect(self) -> Result<Handles, String> {
        let Sweep {
            senders, regions, ..
        } = self.sweep()?;
        if senders.is_empty() && regions.is_empty() {
            return Ok(Handles::default());
        }
        let (near, far) = bridge::build::<(Vec<OpaqueIpcSender>, Vec<IpcSharedMemory>)>()?;
        near.send((senders, regions))
            .map_err(|error| error.to_string())?;
        bridge::take_packet(&far).map_err(|error| explained(&error))
    }

    /// Empties the thread's list.
    pub(super) fn sweep(&self) -> Result<Sweep, String> {
        let probe = self.sender.clone().to_opaque();
        let message = Sweep {
            probe: Some(probe),
            ..Sweep::default()
        };
        // With more handles than fit, `ipc-channel` panics, but still empties the list.
        let sent = caught::without_panic(|| self.sender.send(message));
        // Without a descriptor for a handle, `ipc-channel` panics.
        let free = check_free(COUNTED.get() + 1);
        match sent {
            None => Err(format!(
                "it holds more than {MAX_HANDLES} handles of ipc-channel"
            )),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(())) => free.and_then(|()| {
                caught::without_panic(|| retry(|| self.receiver.recv()))
                    .unwrap_or_else(|| Err(too_few_descriptors()))
            }),
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // The value's own `Serialize` panicked: its handles must not travel with another message.
        if std::thread::panicking() {
            let _ = self.sweep();
        }
    }
}

thread_local! {
    /// How many handles the last sweep of this thread found.
    static COUNTED: Cell<usize> = const { Cell::new(0) };
}

/// Returns an error if fewer descriptors are free: `ipc-channel` panics without one.
fn check_free(count: usize) -> Result<(), String> {
    let pair = |_| UnixStream::pair().map_err(|error| explained(&error));
    (0..count.div_ceil(2))
        .map(pair)
        .collect::<Result<Vec<_>, _>>()
        .map(drop)
}

/// A message from a thread to itself that takes what is in the thread's list.
#[derive(Default)]
pub(super) struct Sweep {
    /// Serialised after everything else in the list, so its number is the length of the list.
    probe: Option<OpaqueIpcSender>,
    /// Senders and receivers, which are sockets alike.
    pub(super) senders: Vec<OpaqueIpcSender>,
    pub(super) regions: Vec<IpcSharedMemory>,
}

impl Serialize for Sweep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let probe = self.probe.as_ref().expect("a sweep is sent with its probe");
        let number = postcard::to_stdvec(probe)
            .and_then(|bytes| postcard::from_bytes::<usize>(&bytes))
            .map_err(serde::ser::Error::custom)?;
        COUNTED.set(number);
        number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sweep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sweep, D::Error> {
        let count = usize::deserialize(deserializer)?;
        let numbered =
            |number: usize| -> UsizeDeserializer<IndexError> { number.into_deserializer() };
        let mut senders = Vec::with_capacity(count + 1);
        for number in 0..=count {
            senders.push(
                OpaqueIpcSender::deserialize(numbered(number)).map_err(serde::de::Error::custom)?,
            );
        }
        let probe = senders.pop();
        let regions = (0..)
            .map_while(|number| IpcSharedMemory::deserialize(numbered(number)).ok())
            .collect();
        Ok(Sweep {
            probe,
            senders,
            regions,
        })
    }
}

/// Reads a value that came with handles: while `read` runs, the numbers in the value lead to them.
pub(crate) fn within<T: 'static>(
    handles: Handles,
    read: impl FnOnce() -> T + 'static,
) -> Result<T, String> {
    let (near, far) = bridge::build::<Within>()?;
    let receiver = reverse(near)?;
    bridge::put_packet(&far, &handles).map_err(|error| explained(&error))?;
    // The copies that were sent are enough.
    drop(handles);
    let place = Rc::new(Cell::new(None));
    let read_value = Rc::clone(&place);
    READ.set(Some(Box::new(move || read_value.set(Some(read())))));
    retry(|| receiver.recv())?;
    Ok(place.take().expect("receiving `Within` calls it"))
}

thread_local! {
    /// What is to be called within the reception of the handles.
    static READ: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A message without bytes of its own: those of the value come by another way than the handles it refers to.
struct Within;

impl Serialize for Within {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

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
fn reverse<T: DeserializeOwned + Serialize>(
    sender: IpcSender<T>,
) -> Result<IpcReceiver<T>, String> {
    check_free(3)?;
    let (loopback, reversed) = ipc::channel::<Reversed<T>>().map_err(|error| explained(&error))?;
    let message = Reversed {
        sender: Some(sender),
        receiver: RefCell::new(None),
        value: PhantomData,
    };
    loopback.send(message).map_err(|error| error.to_string())?;
    let message = retry(|| reversed.recv())?;
    Ok(message
        .receiver
        .into_inner()
        .expect("it is read as a receiver"))
}

struct Reversed<T> {
    sender: Option<IpcSender<T>>,
    receiver: RefCell<Option<IpcReceiver<T>>>,
    value: PhantomData<T>,
}

impl<T> Serialize for Reversed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sender = self.sender.as_ref().expect("it is sent as a sender");
        sender.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Reversed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reversed<T>, D::Error> {
        Ok(Reversed {
            sender: None,
            receiver: RefCell::new(Some(IpcReceiver::deserialize(deserializer)?)),
            value: PhantomData,
        })
    }
}

/// Receives; tries again if a signal interrupted it.
fn retry<T>(receive: impl Fn() -> Result<T, ipc_channel::IpcError>) -> Result<T, String> {
    loop {
        match receive() {
            Err(ipc_channel::IpcError::Io(error)) => {
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(explained(&error));
                }
            }
            Err(error) => return Err(error.to_string()),
            Ok(value) => return Ok(value),
        }
    }
}

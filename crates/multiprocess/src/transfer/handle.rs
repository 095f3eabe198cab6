//! Handles: values that another process gets by opening the same slot.

use std::cell::Cell;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::memory::slot::{Address, Slot};
use crate::platform::limits::explained;
use crate::transfer::attachments;

thread_local! {
    /// Why this thread could not open the last handle: postcard drops the message of an error.
    static WHY_NOT: Cell<Option<String>> = const { Cell::new(None) };
}

/// Returns why this thread could not open a handle, since the last call.
pub(crate) fn why_not_opened() -> Option<String> {
    WHY_NOT.take()
}

/// Implements `Serialize` and `Deserialize` by [`send`] and [`open`]. The arguments are the type, with the bounds of
/// `Deserialize`, its name, and the closures for the two.
macro_rules! handle {
    (
        $handle:ident $(<$($of:ident $(: $bound:ident + 'static)?),+>)?,
        $content:expr,
        $send:expr,
        $open:expr $(,)?
    ) => {
        impl $(<$($of),+>)? serde::Serialize for $handle $(<$($of),+>)? {
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                $crate::transfer::handle::send(self, serializer, $content, $send)
            }
        }

        impl<'de $(, $($of $(: $bound + 'static)?),+)?> serde::Deserialize<'de>
            for $handle $(<$($of),+>)?
        {
            fn deserialize<Z: serde::Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                $crate::transfer::handle::open(deserializer, $content, $open)
            }
        }
    };
}
pub(crate) use handle;

/// Serialises a handle: the address of its slot, its type, which the receiver compares, and extra data for the other
/// process. `depart` returns the slot and the extra data; it is called only while a message is packed.
///
/// The slot exists until the other process opens it, or the attachment is dropped.
pub(crate) fn send<'a, H, E: Serialize, S: Serializer>(
    handle: &'a H,
    serializer: S,
    content: &str,
    depart: impl FnOnce(&'a H) -> Result<(&'a Arc<Slot>, E), String>,
) -> Result<S::Ok, S::Error> {
    attachments::check_packing(content).map_err(ser::Error::custom)?;
    let (slot, extra) = depart(handle).map_err(ser::Error::custom)?;
    let reference = slot.reference(None);
    let reference = reference.map_err(|error| ser::Error::custom(explained(&error)))?;
    attachments::add(Arc::new(reference));
    (&slot.address, content, extra).serialize(serializer)
}

/// Deserialises a handle, once. `arrive` makes the handle from its slot and the extra data.
///
/// Bytes that didn't arrive in a message are an error, since nothing keeps their slot in use.
pub(crate) fn open<'de, H, E: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
    content: &str,
    arrive: impl FnOnce(Arc<Slot>, E) -> Result<H, String>,
) -> Result<H, D::Error> {
    let (address, sent, extra): (Address, String, E) = Deserialize::deserialize(deserializer)?;
    attachments::check_reading(content).map_err(de::Error::custom)?;
    let opened = if sent == content {
        let slot = Slot::at(&address).map_err(|error| error.to_string());
        slot.and_then(|slot| arrive(slot, extra))
    } else {
        Err(format!("it is {sent}, but {content} is expected"))
    };
    opened.map_err(|reason| {
        let error = de::Error::custom(&reason);
        WHY_NOT.set(Some(reason));
        error
    })
}

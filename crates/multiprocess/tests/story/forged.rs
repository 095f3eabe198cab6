//! Messages whose bytes don't match their type.

use std::cell::RefCell;

use multiprocess::Queue;
use serde::de::DeserializeOwned;
use serde::ser::{Error, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Travels as these bytes, and is read as a `T`.
#[derive(Debug)]
pub(crate) enum Forged<T> {
    Sent(Vec<u8>),
    Read(T),
}

impl<T> Serialize for Forged<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Forged::Sent(bytes) = self else {
            return Err(S::Error::custom("it was read"));
        };
        let mut tuple = serializer.serialize_tuple(bytes.len())?;
        for byte in bytes {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Forged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Forged<T>, D::Error> {
        T::deserialize(deserializer).map(Forged::Read)
    }
}

/// Returns the bytes with which a handle travels in a message, without sending it.
pub(crate) fn bytes_of<T: Serialize + DeserializeOwned + 'static>(handle: T) -> Vec<u8> {
    struct Peek<T>(T, RefCell<Vec<u8>>);

    impl<T: Serialize> Serialize for Peek<T> {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            let bytes = postcard::to_stdvec(&self.0).map_err(S::Error::custom)?;
            self.1.replace(bytes);
            Err(S::Error::custom("it is only looked at"))
        }
    }

    impl<'de, T> Deserialize<'de> for Peek<T> {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Peek<T>, D::Error> {
            unreachable!("it is not sent")
        }
    }

    let queue = Queue::new().expect("there is memory");
    let refused = queue.put(Peek(handle, RefCell::default()));
    refused
        .expect_err("it is only looked at")
        .into_inner()
        .1
        .into_inner()
}

//! Finds handles of `ipc-channel` in a value while it is serialised, where they cannot travel.
//!
//! Such a handle serialises itself as a bare `u64`: its place in the list of the thread (see the module above). Hardly
//! any other type that is no number does so. So a serialiser between the value and the real one notes such numbers, of
//! any variant and value, and only if there are some is the list checked.

use std::any::type_name;
use std::cell::Cell;

use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use crate::transfer::ipc::collector::Collector;

const REFUSED: &str = "it holds a handle of ipc-channel, which travels only in the arguments and the result of a \
                       process; use this crate's own `channel` or `pipe`";

/// More handles than a thread's list ever holds: at a place beyond there is none.
const BEYOND: u64 = 64;

/// Returns whether a value of the type may hold such a handle.
#[inline]
pub(crate) fn may_hold_handles<T>() -> bool {
    // A type that needs no drop holds no open file.
    std::mem::needs_drop::<T>() && !is_of_std(type_name::<T>())
}

/// Returns whether the name of a type has only names of the standard library in it, such as `alloc::vec::Vec<f64>`: the
/// name lists everything that the type holds.
fn is_of_std(type_name: &str) -> bool {
    let mut words = type_name.split(|it: char| !(it.is_alphanumeric() || it == '_' || it == ':'));
    words.all(|word| {
        let first = word.split_once("::").map(|(first, _)| first);
        first.is_none_or(|first| matches!(first, "alloc" | "core" | "std"))
    })
}

/// Serialises a value with `write`, which gets the watched value; an error if there was a handle of `ipc-channel` in
/// it, which is closed then.
#[inline]
pub(crate) fn refuse_handles<T: Serialize, R>(
    value: &T,
    write: impl FnOnce(&Watched<'_, T>) -> Result<R, String>,
) -> Result<R, String> {
    let lowest = Lowest(Cell::new(BEYOND));
    let written = write(&Watched {
        value,
        lowest: &lowest,
    });
    let place = lowest.0.replace(BEYOND);
    if place == BEYOND {
        return written;
    }
    let left = left_behind();
    let written = written?;
    if place < left? {
        return Err(REFUSED.to_owned());
    }
    Ok(written)
}

/// Empties the thread's list; returns how many handles of one kind were in it.
#[cold]
fn left_behind() -> Result<u64, String> {
    let left = Collector::make()?.sweep()?;
    Ok(left.senders.len().max(left.regions.len()) as u64)
}

/// The lowest of the numbers that may be the place of a handle.
struct Lowest(Cell<u64>);

impl Lowest {
    #[inline]
    fn note(&self, number: u64) {
        self.0.set(self.0.get().min(number));
    }
}

impl Drop for Lowest {
    fn drop(&mut self) {
        // Only where the value's own `Serialize` panicked.
        if self.0.get() < BEYOND {
            let _ = left_behind();
        }
    }
}

/// A value, or a part of one, that is watched while it is serialised.
pub(crate) struct Watched<'a, T: ?Sized> {
    value: &'a T,
    lowest: &'a Lowest,
}

/// Returns whether it is a number or the like, or a reference to one, as sequences pass them on: that is no handle.
#[inline]
fn is_number<T: ?Sized>() -> bool {
    let name = type_name::<T>();
    let name = name.strip_prefix('&').unwrap_or(name);
    matches!(
        name,
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
            | "bool"
            | "char"
    ) || name.starts_with("core::num::")
}

impl<T: Serialize + ?Sized> Serialize for Watched<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_number::<T>() {
            return self.value.serialize(serializer);
        }
        self.value.serialize(Watching {
            inner: serializer,
            lowest: self.lowest,
        })
    }
}

/// A serialiser, or a part of one, that watches what goes through it.
struct Watching<'a, S> {
    inner: S,
    lowest: &'a Lowest,
}

macro_rules! pass_on {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        }
    )*};
}

macro_rules! watch_parts {
    ($($method:ident($($arg:ident: $type:ty),*) -> $part:ident;)*) => {$(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<Self::$part, S::Error> {
            Ok(Watching {
                inner: self.inner.$method($($arg),*)?,
                lowest: self.lowest,
            })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Watching<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Watching<'a, S::SerializeSeq>;
    type SerializeTuple = Watching<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Watching<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Watching<'a, S::SerializeTupleVariant>;
    type SerializeMap = Watching<'a, S::SerializeMap>;
    type SerializeStruct = Watching<'a, S::SerializeStruct>;
    type SerializeStructVariant = Watching<'a, S::SerializeStructVariant>;

    #[inline]
    fn serialize_u64(self, number: u64) -> Result<S::Ok, S::Error> {
        self.lowest.note(number);
        self.inner.serialize_u64(number)
    }

    pass_on! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u128(value: u128);
        serialize_f32(value: f32);
        serialize_f64(value: f64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    watch_parts! {
        serialize_seq(length: Option<usize>) -> SerializeSeq;
        serialize_tuple(length: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, length: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeTupleVariant;
        serialize_map(length: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, length: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeStructVariant;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let lowest = self.lowest;
        self.inner.serialize_some(&Watched { value, lowest })
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let lowest = self.lowest;
        self.inner
            .serialize_newtype_struct(name, &Watched { value, lowest })
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let lowest = self.lowest;
        let value = Watched { value, lowest };
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }

    #[inline]
    fn collect_seq<I>(self, items: I) -> Result<S::Ok, S::Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        // With millions of numbers, checking each is too slow.
        if is_number::<I::Item>() {
            return self.inner.collect_seq(items);
        }
        let items = items.into_iter();
        let length = match items.size_hint() {
            (min, Some(max)) if min == max => Some(max),
            _ => None,
        };
        let mut sequence = self.serialize_seq(length)?;
        for item in items {
            sequence.serialize_element(&item)?;
        }
        sequence.end()
    }

    #[inline]
    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! watch_each {
    ($($part:ident: $method:ident($($name:ident)?);)*) => {$(
        impl<S: $part> $part for Watching<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), S::Error> {
                let lowest = self.lowest;
                self.inner.$method($($name,)? &Watched { value, lowest })
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

watch_each! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(name);
    SerializeStructVariant: serialize_field(name);
}

impl<S: SerializeMap> SerializeMap for Watching<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let lowest = self.lowest;
        self.inner.serialize_key(&Watched { value, lowest })
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let lowest = self.lowest;
        self.inner.serialize_value(&Watched { value, lowest })
    }

    #[inline]
    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::may_hold_handles;

    struct Own(#[expect(dead_code, reason = "only its type is looked at")] String);

    #[test]
    fn types_of_the_standard_library_alone_hold_no_handles() {
        assert!(!may_hold_handles::<u64>());
        assert!(!may_hold_handles::<Vec<f64>>());
        assert!(!may_hold_handles::<
            Option<(Box<str>, HashMap<String, [u8; 4]>)>,
        >());
        assert!(may_hold_handles::<Own>());
        assert!(may_hold_handles::<Vec<Own>>());
        assert!(may_hold_handles::<(
            String,
            Option<ipc_channel::ipc::IpcSender<u8>>
        )>());
    }
}

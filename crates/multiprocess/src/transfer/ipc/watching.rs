//! Detects numbers in a value that may stand for handles of `ipc-channel`, while the value is serialised.
//!
//! Such a handle serialises itself as a bare `u64`: its place in a list of the thread (see `ipc`). Hardly any
//! other type that isn't a number does so, so the list matters only if there is such a number.

use std::any::type_name;
use std::cell::Cell;

use postcard::ser_flavors::Flavor;
use postcard::{Error, Result};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

/// More handles than a thread's list ever contains: no handle has a place beyond that.
pub(super) const BEYOND: u64 = 64;

thread_local! {
    /// The lowest number so far that may be the place of a handle.
    pub(super) static LOWEST: Cell<u64> = const { Cell::new(BEYOND) };
}

/// Returns whether a value of the type may contain such a handle.
#[inline]
pub(super) fn may_hold_handles<T>() -> bool {
    // A type that needs no drop contains no open file.
    std::mem::needs_drop::<T>() && !is_of_std(type_name::<T>())
}

/// Returns whether the name of a type contains only names of the standard library, such as `alloc::vec::Vec<f64>`: the
/// name lists everything that the type contains.
fn is_of_std(type_name: &str) -> bool {
    let mut words = type_name.split(|it: char| !(it.is_alphanumeric() || it == '_' || it == ':'));
    words.all(|word| {
        let first = word.split_once("::").map(|(first, _)| first);
        first.is_none_or(|first| matches!(first, "alloc" | "core" | "std"))
    })
}

/// Serialises a value in postcard's format, and records what may be handles in it.
#[inline]
pub(crate) fn serialize<T: Serialize>(value: &T, output: impl Flavor) -> Result<()> {
    let mut serializer = postcard::Serializer { output };
    if may_hold_handles::<T>() {
        value.serialize(&mut Watching(serializer))
    } else {
        value.serialize(&mut serializer)
    }
}

/// A serialiser that watches what goes through it.
struct Watching<F: Flavor>(postcard::Serializer<F>);

impl<F: Flavor> Watching<F> {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if is_number::<T>() {
            value.serialize(&mut self.0)
        } else {
            value.serialize(self)
        }
    }
}

/// Returns whether it is a primitive, or a reference to one, as sequences pass them on, and so not a handle.
#[inline]
fn is_number<T: ?Sized>() -> bool {
    let name = type_name::<T>();
    let name = name.strip_prefix('&').unwrap_or(name);
    // Only they have names this short without a path.
    name.len() <= 5 && !name.contains(':') || name.starts_with("core::num::")
}

macro_rules! pass_on {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<()> {
            self.0.$method($($arg),*)
        }
    )*};
}

macro_rules! begin {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<Self> {
            self.0.$method($($arg),*)?;
            Ok(self)
        }
    )*};
}

impl<F: Flavor> Serializer for &mut Watching<F> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    #[inline]
    fn serialize_u64(self, number: u64) -> Result<()> {
        LOWEST.set(LOWEST.get().min(number));
        self.0.serialize_u64(number)
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

    begin! {
        serialize_seq(length: Option<usize>);
        serialize_tuple(length: usize);
        serialize_tuple_struct(name: &'static str, length: usize);
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize);
        serialize_map(length: Option<usize>);
        serialize_struct(name: &'static str, length: usize);
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize);
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        // A unit takes no bytes.
        self.0.serialize_some(&())?;
        self.part(value)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<()> {
        self.part(value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.0
            .serialize_newtype_variant(name, index, variant, &())?;
        self.part(value)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! watch_each {
    ($($kind:ident: $($method:ident($($name:ident)?)),*;)*) => {$(
        impl<F: Flavor> $kind for &mut Watching<F> {
            type Ok = ();
            type Error = Error;

            $(
                #[inline]
                fn $method<T: Serialize + ?Sized>(
                    &mut self,
                    $($name: &'static str,)?
                    value: &T,
                ) -> Result<()> {
                    self.part(value)
                }
            )*

            #[inline]
            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

watch_each! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(_name);
    SerializeStructVariant: serialize_field(_name);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::may_hold_handles;

    struct Own(#[expect(dead_code, reason = "only its type is looked at")] String);

    #[test]
    fn types_of_the_standard_library_alone_hold_no_handles() {
        type OfStd = Option<(Box<str>, HashMap<String, [u8; 4]>)>;
        type Sender = ipc_channel::ipc::IpcSender<u8>;
        assert!(!may_hold_handles::<u64>());
        assert!(!may_hold_handles::<Vec<f64>>());
        assert!(!may_hold_handles::<OfStd>());
        assert!(may_hold_handles::<Own>());
        assert!(may_hold_handles::<Vec<Own>>());
        assert!(may_hold_handles::<(String, Option<Sender>)>());
    }
}

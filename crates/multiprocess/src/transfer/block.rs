//! Vectors of plain numbers, which travel as one block of bytes and not number by number.
//!
//! They are recognised by their type, so a value of such a type is read as it was written: both processes run the same
//! program.

use std::any::{Any, TypeId};

use bytemuck::Pod;
use bytemuck::allocation::zeroed_vec;

/// Does something with each kind of numbers, by the name of the first argument.
macro_rules! for_each_number {
    ($name:ident, $work:expr) => {
        for_each_number!(
            $name, $work, u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64
        )
    };
    ($name:ident, $work:expr, $($number:ty),*) => {$({
        type $name = $number;
        $work
    })*};
}

/// Returns the bytes of the numbers in a vector; `None` for a value of another type.
#[inline]
pub(crate) fn bytes_of<T: 'static>(value: &T) -> Option<&[u8]> {
    let value: &dyn Any = value;
    for_each_number!(N, {
        if let Some(numbers) = value.downcast_ref::<Vec<N>>() {
            return Some(bytemuck::cast_slice(numbers));
        }
    });
    None
}

/// Returns whether values of the type travel as a block.
#[inline]
pub(crate) fn is_block<T: 'static>() -> bool {
    for_each_number!(N, {
        if TypeId::of::<T>() == TypeId::of::<Vec<N>>() {
            return true;
        }
    });
    false
}

/// Returns the vector of numbers with these bytes, or why there is none; `None` for another type.
#[inline]
pub(crate) fn from_bytes<T: 'static>(bytes: &[u8]) -> Option<Result<T, String>> {
    receive_into(&mut |sink| {
        let room = sink.room(bytes.len());
        room.copy_from_slice(&bytes[..room.len()]);
    })
}

/// Where the bytes of a message are put when it arrives.
pub(crate) trait Sink {
    /// Returns room for a message of a length; none if it can't be one of them. What is in it is overwritten.
    fn room(&mut self, length: usize) -> &mut [u8];
}

impl Sink for Vec<u8> {
    #[inline]
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.capacity() < length {
            // All zero without writing zeros, where the system has such memory.
            *self = vec![0; length];
        }
        self.resize(length, 0);
        self
    }
}

/// What was received: numbers, or why there are none.
type Numbers<N> = Option<Result<Vec<N>, String>>;

impl<N: Pod> Sink for Numbers<N> {
    fn room(&mut self, length: usize) -> &mut [u8] {
        let fits = length.is_multiple_of(size_of::<N>());
        let numbers = fits.then(|| zeroed_vec(length / size_of::<N>()));
        let numbers = self.insert(numbers.ok_or_else(|| "its length fits no numbers".to_owned()));
        numbers
            .as_mut()
            .map_or(&mut [], |numbers| bytemuck::cast_slice_mut(numbers))
    }
}

/// Puts the bytes of a message into a sink.
type Receive<'a> = &'a mut dyn FnMut(&mut dyn Sink);

/// How the values of one type, vectors of numbers, are sent and received.
pub(crate) struct Block<T> {
    /// Returns the bytes of the numbers, where they are.
    pub(crate) bytes: fn(&T) -> &[u8],
    /// Has a message put into the memory of a new value.
    pub(crate) receive: fn(Receive<'_>) -> Result<T, String>,
}

impl<T: 'static> Block<T> {
    /// Returns `None` for a type that is no vector of numbers.
    pub(crate) fn of() -> Option<Block<T>> {
        is_block::<T>().then_some(Block {
            bytes: |value| bytes_of(value).unwrap_or_default(),
            receive: |receive| {
                receive_into(receive).unwrap_or_else(|| Err("it is no block".to_owned()))
            },
        })
    }
}

/// `None` for a type that is no vector of numbers, and if nothing was received.
#[inline]
fn receive_into<T: 'static>(receive: Receive<'_>) -> Option<Result<T, String>> {
    let mut read: Option<Result<T, String>> = None;
    let place: &mut dyn Any = &mut read;
    for_each_number!(N, {
        if let Some(numbers) = place.downcast_mut::<Numbers<N>>() {
            receive(numbers);
            return read;
        }
    });
    None
}

#[cfg(test)]
mod tests {
    use super::{bytes_of, from_bytes};

    #[test]
    fn numbers_are_read_as_they_were_written_also_where_they_are_not_aligned() {
        let numbers = vec![1.5_f64, -0.0, f64::MAX];
        let mut bytes = vec![7];
        bytes.extend_from_slice(bytes_of(&numbers).unwrap());
        assert_eq!(from_bytes::<Vec<f64>>(&bytes[1..]), Some(Ok(numbers)));
        assert!(from_bytes::<Vec<f64>>(&bytes).unwrap().is_err());
        assert_eq!(from_bytes::<Vec<u16>>(&[]), Some(Ok(Vec::new())));
    }

    #[test]
    fn other_types_are_left_to_serde() {
        assert!(bytes_of(&vec![true]).is_none());
        assert!(bytes_of(&(vec![1_u8],)).is_none());
        assert!(from_bytes::<Vec<char>>(&[0; 4]).is_none());
    }
}

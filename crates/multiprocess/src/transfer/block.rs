//! Vectors of plain numbers, which travel as one block of bytes and not number by number.
//!
//! They are recognised by their type, so a value of such a type is read as it was written: both processes run the same
//! program.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;

/// Does something with each kind of numbers of up to 8 bytes (those of 16 are serialised), by the name of the first argument.
macro_rules! for_each_number {
    ($name:ident, $work:expr) => {
        for_each_number!(
            $name, $work, u8, i8, u16, i16, u32, i32, u64, i64, usize, isize, f32, f64
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
    receive_into(&mut |sink| sink.copy(bytes))
}

/// Where the bytes of a message are put when it arrives, in place of what was there.
pub(crate) trait Sink {
    fn copy(&mut self, bytes: &[u8]);

    /// Copies the first `length` bytes of the words, which are in two pieces; they have less than 8 bytes more.
    fn copy_words(&mut self, words: [&[AtomicU64]; 2], length: usize);
}

#[inline]
fn bytes_in(word: &AtomicU64) -> [u8; 8] {
    word.load(Ordering::Relaxed).to_le_bytes()
}

impl Sink for Vec<u8> {
    #[inline]
    fn copy(&mut self, bytes: &[u8]) {
        self.clear();
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn copy_words(&mut self, words: [&[AtomicU64]; 2], length: usize) {
        let room = 8 * (words[0].len() + words[1].len());
        if self.capacity() < room {
            // All zero without writing zeros, where the system has such memory.
            *self = vec![0; room];
        }
        self.resize(room, 0);
        let (chunks, _) = self.as_chunks_mut();
        let (front, back) = chunks.split_at_mut(words[0].len());
        for (chunks, words) in [front, back].into_iter().zip(words) {
            for (chunk, word) in chunks.iter_mut().zip(words) {
                *chunk = bytes_in(word);
            }
        }
        self.truncate(length);
    }
}

/// Numbers that arrive, as many together as there are in 8 bytes: their memory is written once, and never zeroed before.
#[derive(Default)]
struct Numbers<C> {
    chunks: Vec<C>,
    length: usize,
}

impl<C: Pod> Sink for Numbers<C> {
    fn copy(&mut self, bytes: &[u8]) {
        let (whole, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let last = (!rest.is_empty()).then_some(last);
        let chunks = whole.iter().copied().chain(last);
        self.chunks = chunks.map(bytemuck::cast::<[u8; 8], C>).collect();
        self.length = bytes.len();
    }

    fn copy_words(&mut self, words: [&[AtomicU64]; 2], length: usize) {
        self.chunks = Vec::with_capacity(words[0].len() + words[1].len());
        for words in words {
            let chunks = words
                .iter()
                .map(|word| bytemuck::cast::<[u8; 8], C>(bytes_in(word)));
            self.chunks.extend(chunks);
        }
        self.length = length;
    }
}

impl<N: Pod, const COUNT: usize> Numbers<[N; COUNT]> {
    fn finish(self) -> Result<Vec<N>, String> {
        if !self.length.is_multiple_of(size_of::<N>()) {
            return Err("its length fits no numbers".to_owned());
        }
        let mut numbers = self.chunks.into_flattened();
        numbers.truncate(self.length / size_of::<N>());
        Ok(numbers)
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

/// `None` for a type that is no vector of numbers.
#[inline]
fn receive_into<T: 'static>(receive: Receive<'_>) -> Option<Result<T, String>> {
    let mut read: Option<Result<T, String>> = None;
    let place: &mut dyn Any = &mut read;
    for_each_number!(N, {
        if let Some(place) = place.downcast_mut::<Option<Result<Vec<N>, String>>>() {
            let mut numbers = Numbers::<[N; 8 / size_of::<N>()]>::default();
            receive(&mut numbers);
            *place = Some(numbers.finish());
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

//! Vectors of plain numbers, which travel as one block of bytes and not number by number.
//!
//! Both ends recognise them by their type, since both processes run the same program.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;

/// A message that has arrived, and is still in place.
pub(crate) enum Message<'a> {
    Bytes(&'a [u8]),
    /// The length in bytes, and the words, in two pieces; they have less than 8 bytes more.
    Words([&'a [AtomicU64]; 2], usize),
}

impl Message<'_> {
    /// Copies the message, and replaces the previous bytes.
    #[inline]
    pub(crate) fn copy_to(self, bytes: &mut Vec<u8>) {
        let (words, length) = match self {
            Message::Bytes(message) => {
                bytes.clear();
                return bytes.extend_from_slice(message);
            }
            Message::Words(words, length) => (words, length),
        };
        let room = 8 * (words[0].len() + words[1].len());
        if bytes.capacity() < room {
            // All zero, without writing zeros if the system has such memory.
            *bytes = vec![0; room];
        }
        bytes.resize(room, 0);
        let (chunks, _) = bytes.as_chunks_mut();
        let (front, back) = chunks.split_at_mut(words[0].len());
        for (chunks, words) in [front, back].into_iter().zip(words) {
            for (chunk, word) in chunks.iter_mut().zip(words) {
                *chunk = bytes_in(word);
            }
        }
        bytes.truncate(length);
    }

    /// Returns the numbers in the message, copied in units of 8 bytes: their memory is written once, and not zeroed
    /// before.
    fn numbers<N, const COUNT: usize>(self) -> Result<Vec<N>, String>
    where
        [N; COUNT]: Pod,
    {
        let (chunks, length): (Vec<[N; COUNT]>, usize) = match self {
            Message::Bytes(bytes) => {
                let (whole, rest) = bytes.as_chunks::<8>();
                let mut last = [0; 8];
                last[..rest.len()].copy_from_slice(rest);
                let last = (!rest.is_empty()).then_some(last);
                let chunks = whole.iter().copied().chain(last);
                (chunks.map(bytemuck::cast).collect(), bytes.len())
            }
            Message::Words(words, length) => {
                let mut chunks = Vec::with_capacity(words[0].len() + words[1].len());
                for words in words {
                    let bytes = words.iter().map(bytes_in);
                    chunks.extend(bytes.map(bytemuck::cast::<_, [N; COUNT]>));
                }
                (chunks, length)
            }
        };
        if !length.is_multiple_of(size_of::<N>()) {
            return Err("its length is not a multiple of the size of a number".to_owned());
        }
        let mut numbers = chunks.into_flattened();
        numbers.truncate(length / size_of::<N>());
        Ok(numbers)
    }
}

#[inline]
fn bytes_in(word: &AtomicU64) -> [u8; 8] {
    word.load(Ordering::Relaxed).to_le_bytes()
}

/// How to write and read the values of one type, vectors of numbers.
pub(crate) struct Block<T> {
    /// Returns the bytes of the numbers, without a copy.
    pub(crate) bytes: fn(&T) -> &[u8],
    pub(crate) read: fn(Message<'_>) -> Result<T, String>,
}

impl<T: 'static> Block<T> {
    /// Returns `None` for a type that isn't a vector of numbers of up to 8 bytes (those of 16 are serialised).
    #[inline]
    pub(crate) fn of() -> Option<Block<T>> {
        macro_rules! try_each {
            ($($number:ty)*) => {$(
                let mut block = Some(Block::<Vec<$number>> {
                    bytes: |numbers| bytemuck::cast_slice(numbers),
                    read: |message| message.numbers::<$number, { 8 / size_of::<$number>() }>(),
                });
                let block: &mut dyn Any = &mut block;
                if let Some(block) = block.downcast_mut::<Option<Block<T>>>() {
                    return block.take();
                }
            )*};
        }
        try_each!(u8 i8 u16 i16 u32 i32 u64 i64 usize isize f32 f64);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written_also_where_they_are_not_aligned() {
        let block = Block::<Vec<f64>>::of().unwrap();
        let read = |bytes| (block.read)(Message::Bytes(bytes));
        let numbers = vec![1.5_f64, -0.0, f64::MAX];
        let mut bytes = vec![7];
        bytes.extend_from_slice((block.bytes)(&numbers));
        assert_eq!(read(&bytes[1..]), Ok(numbers));
        assert!(read(&bytes).is_err());
        assert_eq!(read(&[]), Ok(Vec::new()));
    }

    #[test]
    fn other_types_are_left_to_serde() {
        assert!(Block::<Vec<bool>>::of().is_none());
        assert!(Block::<(Vec<u8>,)>::of().is_none());
        assert!(Block::<Vec<char>>::of().is_none());
    }
}

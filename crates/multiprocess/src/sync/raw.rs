//! Numbers in shared memory without a lock.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::errors::error::{Error, Result};
use crate::memory::segment::{Access, Segment};
use crate::transfer::handle::handle;

mod bits {
    use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

    /// A number stored in an atomic of its size.
    pub trait Bits: Copy {
        type Cell: crate::memory::segment::Atomic;

        fn load(cell: &Self::Cell) -> Self;
        fn store(self, cell: &Self::Cell);
        /// Replaces the number by the result of `change`, and returns the old one.
        fn update(cell: &Self::Cell, change: impl Fn(Self) -> Self) -> Self;
    }

    macro_rules! kept_in {
        ($cell:ty, $bits:ty: $($number:ty = $to_bits:expr, $from_bits:expr;)*) => {$(
            impl Bits for $number {
                type Cell = $cell;

                fn load(cell: &$cell) -> $number {
                    $from_bits(cell.load(Relaxed))
                }

                fn store(self, cell: &$cell) {
                    cell.store($to_bits(self), Relaxed);
                }

                fn update(cell: &$cell, change: impl Fn($number) -> $number) -> $number {
                    let change = |bits: $bits| Some($to_bits(change($from_bits(bits))));
                    match cell.fetch_update(Relaxed, Relaxed, change) {
                        Ok(bits) | Err(bits) => $from_bits(bits),
                    }
                }
            }

            impl super::Number for $number {}
        )*};
    }

    kept_in!(AtomicU8, u8:
        u8 = |number| number, |bits| bits;
        i8 = i8::cast_unsigned, u8::cast_signed;
    );
    kept_in!(AtomicU16, u16:
        u16 = |number| number, |bits| bits;
        i16 = i16::cast_unsigned, u16::cast_signed;
    );
    kept_in!(AtomicU32, u32:
        u32 = |number| number, |bits| bits;
        i32 = i32::cast_unsigned, u32::cast_signed;
        f32 = f32::to_bits, f32::from_bits;
    );
    kept_in!(AtomicU64, u64:
        u64 = |number| number, |bits| bits;
        i64 = i64::cast_unsigned, u64::cast_signed;
        f64 = f64::to_bits, f64::from_bits;
    );
}

/// A number that fits into an atomic: the integers and floats of up to 64 bits.
pub trait Number: bits::Bits + 'static {}

/// Numbers that processes share without a lock.
///
/// Each is read and written whole, by relaxed atomic operations. Reading and then writing is two operations. If another
/// process writes between them, that is a lost update, but nothing worse happens.
///
/// Python: `multiprocessing.RawArray`.
///
/// # Examples
///
/// ```
/// let temperatures = multiprocess::RawArray::<f64>::new(3)?;
/// temperatures.set(1, 21.5);
/// assert_eq!(temperatures.get(1), 21.5);
/// assert_eq!(temperatures.to_vec(), [0.0, 21.5, 0.0]);
/// # Ok::<(), multiprocess::Error>(())
/// ```
pub struct RawArray<T> {
    segment: Arc<Segment>,
    elements: PhantomData<T>,
}

impl<T: Number> RawArray<T> {
    /// Makes `length` numbers, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if they need more memory than is free.
    pub fn new(length: usize) -> Result<RawArray<T>> {
        RawArray::make(length, || format!("{} of length {length}", content::<T>()))
    }

    fn make(length: usize, what: impl Fn() -> String) -> Result<RawArray<T>> {
        let bytes = length.saturating_mul(size_of::<T>());
        let segment = Segment::create(bytes, Access::Atomic);
        let segment = segment.map_err(|source| Error::memory(what(), source))?;
        Ok(RawArray::of(segment))
    }

    fn cells(&self) -> &[T::Cell] {
        self.segment.atomics()
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells().len()
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a number.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](RawArray::len), like the other methods that take an index.
    #[must_use]
    pub fn get(&self, index: usize) -> T {
        T::load(&self.cells()[index])
    }

    /// Writes a number.
    ///
    /// # Panics
    ///
    /// As [`get`](RawArray::get).
    pub fn set(&self, index: usize, number: T) {
        number.store(&self.cells()[index]);
    }

    /// Replaces a number by the result of `change`, atomically, and returns the old one.
    ///
    /// There are no lost updates this way: if another process writes meanwhile, `change` is called again.
    ///
    /// # Panics
    ///
    /// As [`get`](RawArray::get).
    pub fn update(&self, index: usize, change: impl Fn(T) -> T) -> T {
        T::update(&self.cells()[index], change)
    }

    /// Makes numbers with these values.
    ///
    /// # Errors
    ///
    /// As [`new`](RawArray::new).
    pub fn from_slice(numbers: &[T]) -> Result<RawArray<T>> {
        let array = RawArray::new(numbers.len())?;
        for (cell, number) in array.cells().iter().zip(numbers) {
            number.store(cell);
        }
        Ok(array)
    }

    /// Reads the numbers one by one: others may write meanwhile.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator + '_ {
        self.cells().iter().map(T::load)
    }

    /// Copies the numbers out, one by one: others may write meanwhile.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }
}

fn content<T>() -> String {
    format!("a RawArray<{}>", type_name::<T>())
}

/// Another handle to the same numbers, not a copy.
impl<T> Clone for RawArray<T> {
    fn clone(&self) -> RawArray<T> {
        RawArray::of(Arc::clone(&self.segment))
    }
}

#[allow(
    clippy::missing_fields_in_debug,
    reason = "its name stands above the fields"
)]
impl<T> fmt::Debug for RawArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawArray")
            .field("elements", &type_name::<T>())
            .field("memory", &self.segment)
            .finish()
    }
}

handle!(
    RawArray<T>,
    &content::<T>(),
    |array| Ok((&array.segment, ())),
    |segment, ()| Ok(RawArray::of(segment)),
);

impl<T> RawArray<T> {
    fn of(segment: Arc<Segment>) -> RawArray<T> {
        RawArray {
            segment,
            elements: PhantomData,
        }
    }
}

/// A number that processes share without a lock: a [`RawArray`] of one.
///
/// Python: `multiprocessing.RawValue`.
///
/// # Examples
///
/// ```
/// let counter = multiprocess::RawValue::new(5_i64)?;
/// counter.update(|number| number + 1);
/// assert_eq!(counter.get(), 6);
/// # Ok::<(), multiprocess::Error>(())
/// ```
pub struct RawValue<T>(RawArray<T>);

impl<T: Number> RawValue<T> {
    /// Makes a shared number.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new(number: T) -> Result<RawValue<T>> {
        let array = RawArray::make(1, value_content::<T>)?;
        array.set(0, number);
        Ok(RawValue(array))
    }

    /// Reads the number.
    #[must_use]
    pub fn get(&self) -> T {
        self.0.get(0)
    }

    /// Writes the number.
    pub fn set(&self, number: T) {
        self.0.set(0, number);
    }

    /// Replaces the number by the result of `change`, atomically, and returns the old one.
    pub fn update(&self, change: impl Fn(T) -> T) -> T {
        self.0.update(0, change)
    }
}

fn value_content<T>() -> String {
    format!("a RawValue<{}>", type_name::<T>())
}

handle!(
    RawValue<T>,
    &value_content::<T>(),
    |value| Ok((&value.0.segment, ())),
    |segment, ()| Ok(RawValue(RawArray::of(segment))),
);

/// Another handle to the same number, not a copy.
impl<T> Clone for RawValue<T> {
    fn clone(&self) -> RawValue<T> {
        RawValue(self.0.clone())
    }
}

impl<T> fmt::Debug for RawValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawValue").field(&self.0).finish()
    }
}

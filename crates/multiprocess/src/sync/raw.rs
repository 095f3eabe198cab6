//! Numbers in shared memory, without a lock.

use crate::errors::error::Result;
use crate::sync::typed_memory::{ATOMIC, create, typed_memory};

mod bits {
    use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

    use bytemuck::cast;

    /// A number stored in an atomic of its size.
    pub trait Bits: Copy {
        type Cell: crate::memory::chunk::Atomic;

        fn load(cell: &Self::Cell) -> Self;
        fn store(self, cell: &Self::Cell);
        /// Replaces the number with the result of `change`, and returns the old one.
        fn update(cell: &Self::Cell, change: impl Fn(Self) -> Self) -> Self;
    }

    macro_rules! kept_in {
        ($cell:ty: $($number:ty),+) => {$(
            impl Bits for $number {
                type Cell = $cell;

                fn load(cell: &$cell) -> $number {
                    cast(cell.load(Relaxed))
                }

                fn store(self, cell: &$cell) {
                    cell.store(cast(self), Relaxed);
                }

                fn update(cell: &$cell, change: impl Fn($number) -> $number) -> $number {
                    let change = |bits| Some(cast(change(cast(bits))));
                    let (Ok(bits) | Err(bits)) = cell.fetch_update(Relaxed, Relaxed, change);
                    cast(bits)
                }
            }

            impl super::Number for $number {}
        )+};
    }

    kept_in!(AtomicU8: u8, i8);
    kept_in!(AtomicU16: u16, i16);
    kept_in!(AtomicU32: u32, i32, f32);
    kept_in!(AtomicU64: u64, i64, f64);
}

/// A number that fits into an atomic: an integer or a float of up to 64 bits.
pub trait Number: bits::Bits + 'static {}

typed_memory! {
    /// An array of numbers that processes share without a lock.
    ///
    /// Each number is read and written as a whole, by relaxed atomic operations. If another process writes between your
    /// read and your write, its update is lost, but nothing worse happens; [`update`](RawArray::update) avoids that.
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
    pub struct RawArray<T>, "a RawArray"
}

impl<T: Number> RawArray<T> {
    /// Creates an array of `length` numbers, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is not enough memory for them.
    pub fn new(length: usize) -> Result<RawArray<T>> {
        let what = || format!("{} of length {length}", RawArray::<T>::content());
        Ok(RawArray::of(create::<T>(length, ATOMIC, what)?))
    }

    fn cells(&self) -> &[T::Cell] {
        self.memory.owned().atomics()
    }

    /// Returns the length of the array.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells().len()
    }

    /// Returns whether the array is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number at `index`.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](RawArray::len).
    #[must_use]
    pub fn get(&self, index: usize) -> T {
        T::load(&self.cells()[index])
    }

    /// Sets the number at `index`.
    ///
    /// # Panics
    ///
    /// As [`get`](RawArray::get).
    pub fn set(&self, index: usize, number: T) {
        number.store(&self.cells()[index]);
    }

    /// Atomically replaces the number at `index` with the result of `change`, and returns the old one.
    ///
    /// If another process writes meanwhile, `change` is called again, so no update is lost. Python has no equivalent.
    ///
    /// # Panics
    ///
    /// As [`get`](RawArray::get).
    pub fn update(&self, index: usize, change: impl Fn(T) -> T) -> T {
        T::update(&self.cells()[index], change)
    }

    /// Creates an array with a copy of these numbers.
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

    /// Returns an iterator that reads the numbers one by one: other processes may write meanwhile.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator + '_ {
        self.cells().iter().map(T::load)
    }

    /// Returns a copy of the numbers, read one by one: other processes may write meanwhile.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }
}

typed_memory! {
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
    pub struct RawValue<T>, "a RawValue"
}

impl<T: Number> RawValue<T> {
    /// Creates a shared number.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new(number: T) -> Result<RawValue<T>> {
        let value = RawValue::of(create::<T>(1, ATOMIC, RawValue::<T>::content)?);
        value.set(number);
        Ok(value)
    }

    /// Returns the number.
    #[must_use]
    pub fn get(&self) -> T {
        T::load(&self.memory.owned().atomics()[0])
    }

    /// Sets the number.
    pub fn set(&self, number: T) {
        number.store(&self.memory.owned().atomics()[0]);
    }

    /// Atomically replaces the number with the result of `change`, and returns the old one; no update is lost.
    pub fn update(&self, change: impl Fn(T) -> T) -> T {
        T::update(&self.memory.owned().atomics()[0], change)
    }
}

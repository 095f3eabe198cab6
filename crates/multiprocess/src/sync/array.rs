//! An array in shared memory, guarded by a lock.

use bytemuck::Pod;

use crate::errors::error::Result;
use crate::memory::segment::Access;
use crate::sync::typed_memory::{create, typed_guard, typed_memory};
use crate::trace::events;

typed_memory! {
    /// An array that processes share: what `Mutex<[T]>` is for threads.
    ///
    /// `T` is a number, or any other type whose bytes can be anything ([`bytemuck::Pod`]). You reach the elements
    /// through a guard, which holds the array's lock; nothing is copied.
    ///
    /// Python: `multiprocessing.Array(typecode, values)`. Different here: you cannot forget the lock, you read and
    /// write a whole slice at the speed of memory, and a holder that dies does not block the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use multiprocess::{Array, spawn, task};
    ///
    /// fn square(numbers: Array<i32>) {
    ///     for number in numbers.lock().expect("no thread leaked the guard").iter_mut() {
    ///         *number *= *number;
    ///     }
    /// }
    ///
    /// fn main() -> Result<(), multiprocess::Error> {
    ///     multiprocess::init([task(square)]);
    ///     let numbers = Array::from_slice(&[2, 3, 5])?;
    ///     spawn(square, (numbers.clone(),))?.join()?;
    ///     assert_eq!(numbers.to_vec()?, [4, 9, 25]);
    ///     Ok(())
    /// }
    /// ```
    pub struct Array<T>, "an Array"
}

impl<T: Pod> Array<T> {
    /// Makes an array of `length` elements whose bytes are all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if it needs more memory than is free.
    pub fn new(length: usize) -> Result<Array<T>> {
        let what = || format!("{} of length {length}", Array::<T>::content());
        let memory = create::<T>(length, Access::Locked, what)?;
        events::made(&memory, Array::<T>::content);
        Ok(Array::of(memory))
    }

    /// Makes an array with these elements.
    ///
    /// # Errors
    ///
    /// As [`new`](Array::new).
    pub fn from_slice(elements: &[T]) -> Result<Array<T>> {
        let array = Array::new(elements.len())?;
        array.lock()?.copy_from_slice(elements);
        Ok(array)
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.len() / size_of::<T>()
    }

    /// Returns whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the elements out. Python: `array[:]`. Whether a holder died, only the guard of a lock says.
    ///
    /// # Errors
    ///
    /// As [`lock`](Array::lock).
    pub fn to_vec(&self) -> Result<Vec<T>> {
        Ok(self.lock()?.to_vec())
    }
}

typed_guard! {
    /// The elements of an [`Array`], and its lock; dropping it releases the lock.
    pub struct ArrayGuard<T> of Array, [T], cast_slice, cast_slice_mut
}

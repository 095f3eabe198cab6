//! An array in shared memory, guarded by a lock.

use bytemuck::Pod;

use crate::errors::error::Result;
use crate::sync::typed_memory::{LOCKED, create, typed_guard, typed_memory};
use crate::trace::events;

typed_memory! {
    /// An array that processes share, like a `Mutex<[T]>` between threads.
    ///
    /// `T` is a number, or any other type for which all bytes are valid ([`bytemuck::Pod`]). You access the elements
    /// through a guard, which holds the array's lock; nothing is copied.
    ///
    /// Python: `multiprocessing.Array(typecode, values)`. Different here: you can't forget the lock, you read and
    /// write a whole slice at the speed of memory, and a holder that dies doesn't block the others.
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
    /// Creates an array of `length` elements whose bytes are all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is not enough memory for it.
    pub fn new(length: usize) -> Result<Array<T>> {
        let what = || format!("{} of length {length}", Array::<T>::content());
        let memory = create::<T>(length, LOCKED, what)?;
        events::made(&memory, Array::<T>::content);
        Ok(Array::of(memory))
    }

    /// Creates an array with a copy of these elements.
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

    /// Returns a copy of the elements, read under the lock. Python: `array[:]`.
    ///
    /// To see whether a holder died, use [`lock`](Array::lock): its guard has `holder_died`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Array::lock).
    pub fn to_vec(&self) -> Result<Vec<T>> {
        Ok(self.lock()?.to_vec())
    }
}

typed_guard! {
    /// Access to the elements of an [`Array`] while its lock is held; dropping the guard releases the lock.
    pub struct ArrayGuard<T> of Array, [T], cast_slice, cast_slice_mut
}

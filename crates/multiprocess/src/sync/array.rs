//! An array in shared memory, guarded by a lock.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytemuck::Pod;

use crate::errors::error::{Error, Result};
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::death_notice::death_notice;
use crate::sync::lock::refusal;
use crate::trace::events;
use crate::transfer::handle::handle;

/// An array that processes share: what `Mutex<[T]>` is for threads.
///
/// `T` is a number, or any other type whose bytes can be anything ([`bytemuck::Pod`]). You reach the elements through a
/// guard, which holds the array's lock; nothing is copied.
///
/// Python: `multiprocessing.Array(typecode, values)`. Different here: you cannot forget the lock, you read and write a
/// whole slice at the speed of memory, and a holder that dies does not block the others.
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
pub struct Array<T> {
    segment: Arc<Segment>,
    /// Its name in errors: a [`Value`](crate::Value) is an array too.
    called: fn() -> String,
    elements: PhantomData<T>,
}

impl<T: Pod> Array<T> {
    /// Makes an array of `length` elements whose bytes are all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if it needs more memory than is free.
    pub fn new(length: usize) -> Result<Array<T>> {
        let what = || format!("{} of length {length}", content::<T>());
        Array::make(length, content::<T>, what)
    }

    /// Makes an array with another name in errors; `what` is the name in the error for too little memory.
    pub(crate) fn make(
        length: usize,
        called: fn() -> String,
        what: impl Fn() -> String,
    ) -> Result<Array<T>> {
        const {
            assert!(size_of::<T>() > 0, "an element has at least one byte");
            assert!(
                align_of::<T>() <= 64,
                "elements are aligned to 64 bytes at most"
            );
        }
        // An array larger than the address space is larger than memory.
        let bytes = length.saturating_mul(size_of::<T>());
        let segment = Segment::create(bytes, Access::Locked);
        let segment = segment.map_err(|source| Error::memory(what(), source))?;
        events::made(&segment, called);
        Ok(Array::of(segment, called))
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
        self.segment.len() / size_of::<T>()
    }

    /// Returns whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the lock; the guard is the slice of the elements.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`] if this thread holds it; [`Error::Memory`] if a thread of this process leaked the guard
    /// and has ended, since the array then stays locked until the process ends.
    #[inline]
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>> {
        self.guard(self.segment.lock(WaitUntil::Until(None)), None)
    }

    /// Waits for the lock, but not longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::LockTimeout`] if it was not free in time, [`Error::HeldAlready`] if this thread holds it.
    pub fn lock_timeout(&self, limit: Duration) -> Result<ArrayGuard<'_, T>> {
        self.guard(
            self.segment
                .lock(WaitUntil::Until(Instant::now().checked_add(limit))),
            Some(limit),
        )
    }

    /// Takes the lock if it is free; `None` if it is held.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`] if this thread holds it.
    pub fn try_lock(&self) -> Result<Option<ArrayGuard<'_, T>>> {
        match self.segment.lock(WaitUntil::Try) {
            Err(Refused::Busy) => Ok(None),
            locked => self.guard(locked, None).map(Some),
        }
    }

    /// Copies the elements out. Python: `array[:]`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Array::lock).
    pub fn to_vec(&self) -> Result<Vec<T>> {
        Ok(self.lock()?.to_vec())
    }

    #[inline]
    fn guard<'a>(
        &'a self,
        locked: Result<SegmentGuard<'a>, Refused>,
        limit: Option<Duration>,
    ) -> Result<ArrayGuard<'a, T>> {
        match locked {
            Ok(held) => Ok(ArrayGuard {
                held,
                elements: PhantomData,
            }),
            Err(refused) => Err(self.refusal(refused, limit)),
        }
    }

    #[cold]
    fn refusal(&self, refused: Refused, limit: Option<Duration>) -> Error {
        refusal(refused, &self.segment, (self.called)(), limit)
    }
}

fn content<T>() -> String {
    format!("an Array<{}>", type_name::<T>())
}

/// Another handle to the same array, not a copy.
impl<T> Clone for Array<T> {
    fn clone(&self) -> Array<T> {
        Array {
            segment: Arc::clone(&self.segment),
            called: self.called,
            elements: PhantomData,
        }
    }
}

#[allow(
    clippy::missing_fields_in_debug,
    reason = "its name stands above the fields"
)]
impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("elements", &type_name::<T>())
            .field("memory", &self.segment)
            .finish()
    }
}

handle!(
    Array<T>,
    &content::<T>(),
    |array| Ok((array.segment(), ())),
    |segment, ()| Ok(Array::of(segment, content::<T>)),
);

impl<T> Array<T> {
    pub(crate) fn of(segment: Arc<Segment>, called: fn() -> String) -> Array<T> {
        Array {
            segment,
            called,
            elements: PhantomData,
        }
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }
}

/// The elements of an [`Array`], and its lock; dropping it releases the lock.
#[must_use = "dropping the guard releases the lock at once"]
pub struct ArrayGuard<'a, T> {
    held: SegmentGuard<'a>,
    elements: PhantomData<&'a mut [T]>,
}

impl<T> ArrayGuard<'_, T> {
    pub(crate) fn segment(&self) -> &Segment {
        self.held.segment()
    }
}

death_notice!(ArrayGuard<T>, ArrayGuard::segment);

impl<T: Pod> Deref for ArrayGuard<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.held)
    }
}

impl<T: Pod> DerefMut for ArrayGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.held)
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for ArrayGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

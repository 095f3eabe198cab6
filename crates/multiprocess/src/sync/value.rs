//! A value in shared memory, guarded by a lock.

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytemuck::Pod;

use crate::errors::error::Result;
use crate::sync::array::{Array, ArrayGuard};
use crate::sync::death_notice::death_notice;
use crate::transfer::handle::handle;

/// A value that processes share: what `Mutex<T>` is for threads.
///
/// `T` is a number, or any other type whose bytes can be anything ([`bytemuck::Pod`]).
///
/// Python: `multiprocessing.Value(typecode, value)`. Different here: `counter.value += 1` is a race condition in Python
/// unless you remember `with counter.get_lock():`; here you reach the number only through the lock.
///
/// # Examples
///
/// ```
/// use multiprocess::{Value, spawn, task};
///
/// fn add_one(counter: Value<i64>) {
///     *counter.lock().expect("no thread leaked the guard") += 1;
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(add_one)]);
///     let counter = Value::new(0)?;
///     let children: Vec<_> =
///         (0..4).map(|_| spawn(add_one, (counter.clone(),))).collect::<Result<_, _>>()?;
///     for child in children {
///         child.join()?;
///     }
///     assert_eq!(counter.get()?, 4);
///     Ok(())
/// }
/// ```
pub struct Value<T>(Array<T>);

impl<T: Pod> Value<T> {
    /// Makes a shared value.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new(value: T) -> Result<Value<T>> {
        let array = Array::make(1, content::<T>, content::<T>)?;
        array.lock()?[0] = value;
        Ok(Value(array))
    }

    /// Waits for the lock; the guard is the value. Python: `with value.get_lock():`.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`](crate::Error::HeldAlready) if this thread holds it;
    /// [`Error::Memory`](crate::Error::Memory) if a thread of this process leaked the guard and has ended, since the
    /// value then stays locked until the process ends.
    #[inline]
    pub fn lock(&self) -> Result<ValueGuard<'_, T>> {
        self.0.lock().map(ValueGuard)
    }

    /// Waits for the lock, but not longer than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::LockTimeout`](crate::Error::LockTimeout) if it was not free in time,
    /// [`Error::HeldAlready`](crate::Error::HeldAlready) if this thread holds it.
    pub fn lock_timeout(&self, limit: Duration) -> Result<ValueGuard<'_, T>> {
        self.0.lock_timeout(limit).map(ValueGuard)
    }

    /// Takes the lock if it is free; `None` if it is held.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`](crate::Error::HeldAlready) if this thread holds it.
    pub fn try_lock(&self) -> Result<Option<ValueGuard<'_, T>>> {
        Ok(self.0.try_lock()?.map(ValueGuard))
    }

    /// Reads the value under the lock. Python: `value.value`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Value::lock).
    pub fn get(&self) -> Result<T> {
        Ok(*self.lock()?)
    }

    /// Writes the value under the lock. Python: `value.value = …`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Value::lock).
    pub fn set(&self, value: T) -> Result<()> {
        *self.lock()? = value;
        Ok(())
    }
}

fn content<T>() -> String {
    format!("a Value<{}>", type_name::<T>())
}

/// Another handle to the same value, not a copy.
impl<T> Clone for Value<T> {
    fn clone(&self) -> Value<T> {
        Value(self.0.clone())
    }
}

impl<T> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.0).finish()
    }
}

handle!(
    Value<T>,
    &content::<T>(),
    |value| Ok((value.0.segment(), ())),
    |segment, ()| Ok(Value(Array::of(segment, content::<T>))),
);

/// A [`Value`] and its lock; dropping it releases the lock.
#[must_use = "dropping the guard releases the lock at once"]
pub struct ValueGuard<'a, T>(ArrayGuard<'a, T>);

death_notice!(ValueGuard<T>, |guard| guard.0.segment());

impl<T: Pod> Deref for ValueGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0[0]
    }
}

impl<T: Pod> DerefMut for ValueGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0[0]
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for ValueGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

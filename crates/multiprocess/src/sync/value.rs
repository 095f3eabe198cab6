//! A value in shared memory, guarded by a lock.

use bytemuck::Pod;

use crate::errors::error::Result;
use crate::memory::segment::Access;
use crate::sync::typed_memory::{create, typed_guard, typed_memory};
use crate::trace::events;

typed_memory! {
    /// A value that processes share: what `Mutex<T>` is for threads.
    ///
    /// `T` is a number, or any other type whose bytes can be anything ([`bytemuck::Pod`]).
    ///
    /// Python: `multiprocessing.Value(typecode, value)`. Different here: `counter.value += 1` is a race condition in
    /// Python unless you remember `with counter.get_lock():`; here you reach the number only through the lock.
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
    ///     let child = spawn(add_one, (counter.clone(),))?;
    ///     add_one(counter.clone());
    ///     child.join()?;
    ///     assert_eq!(counter.get()?, 2);
    ///     Ok(())
    /// }
    /// ```
    pub struct Value<T>, "a Value"
}

impl<T: Pod> Value<T> {
    /// Makes a shared value.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new(value: T) -> Result<Value<T>> {
        let made = Value::of(create::<T>(1, Access::Locked, Value::<T>::content)?);
        events::made(&made.memory, Value::<T>::content);
        made.set(value)?;
        Ok(made)
    }

    /// Reads the value under the lock. Python: `value.value`. Whether a holder died, only the guard of a lock says.
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

typed_guard! {
    /// A [`Value`] and its lock; dropping it releases the lock.
    pub struct ValueGuard<T> of Value, T, from_bytes, from_bytes_mut
}

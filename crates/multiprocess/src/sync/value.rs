//! A value in shared memory, guarded by a lock.

use bytemuck::Pod;

use crate::errors::error::Result;
use crate::sync::typed_memory::{LOCKED, create, typed_guard, typed_memory};
use crate::trace::events;

typed_memory! {
    /// A value that processes share, like a `Mutex<T>` between threads.
    ///
    /// `T` is a number, or any other type for which all bytes are valid ([`bytemuck::Pod`]).
    ///
    /// Python: `multiprocessing.Value(typecode, value)`. Different here: `counter.value += 1` is a race condition in
    /// Python unless you remember `with counter.get_lock():`; here you can access the number only through the lock.
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
    /// Creates a shared value.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new(value: T) -> Result<Value<T>> {
        let made = Value::of(create::<T>(1, LOCKED, Value::<T>::content)?);
        events::made(&made.memory, Value::<T>::content);
        made.set(value)?;
        Ok(made)
    }

    /// Returns the value, read under the lock. Python: `value.value`.
    ///
    /// To see whether a holder died, use [`lock`](Value::lock): its guard has `holder_died`.
    ///
    /// # Errors
    ///
    /// As [`lock`](Value::lock).
    pub fn get(&self) -> Result<T> {
        Ok(*self.lock()?)
    }

    /// Sets the value under the lock. Python: `value.value = …`.
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
    /// Access to a [`Value`] while its lock is held; dropping the guard releases the lock.
    pub struct ValueGuard<T> of Value, T, from_bytes, from_bytes_mut
}

//! A lock between processes.

use crate::memory::segment::SegmentGuard;
use crate::sync::locking::locking;
use crate::sync::named_lock::named_lock;

named_lock! {
    /// A lock that processes and threads take in turns.
    ///
    /// It is a handle: clones of it, and what arrives in another process when it is given to [`spawn`](crate::spawn) or
    /// sent, are the same lock. You decide what the lock guards; for a number or an array in shared memory,
    /// [`Value`](crate::Value) and [`Array`](crate::Array) have a lock of their own that you cannot forget.
    ///
    /// Python: `multiprocessing.Lock`. Different here: the lock becomes free when its holder dies, and later holders can
    /// see that; a thread that asks for a lock it holds gets an error; Python waits for ever in both cases. And only the
    /// guard can release it.
    ///
    /// # Examples
    ///
    /// ```
    /// use multiprocess::{Lock, spawn, task};
    ///
    /// fn speak(lock: Lock, word: String) {
    ///     let _alone = lock.lock().expect("this thread doesn't hold it");
    ///     println!("{word}, said by one process at a time");
    /// }
    ///
    /// fn main() -> Result<(), multiprocess::Error> {
    ///     multiprocess::init([task(speak)]);
    ///     let lock = Lock::new()?;
    ///     let child = spawn(speak, (lock.clone(), "tango".to_owned()))?;
    ///     speak(lock, "foxtrot".to_owned());
    ///     child.join()
    /// }
    /// ```
    pub struct Lock, "a Lock", "a lock", "the lock"
}

locking!(
    Lock,
    called: ToString::to_string,
    LockGuard: |_, locked| locked.map(|held| LockGuard { held }),
    memory: held.segment()
);

/// A lock that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// It is released also when the thread panics, and when the process is killed. It stays with the thread that
/// acquired it.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SegmentGuard<'a>,
}

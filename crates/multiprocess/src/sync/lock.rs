//! A lock between processes.

use crate::memory::slot::SlotGuard;
use crate::sync::locking::locking;

/// Defines a lock that guards no memory. `$content` is its type in errors, `$one` what it prints, `$the` what it prints
/// before its name.
macro_rules! named_lock {
    (
        $(#[$doc:meta])*
        pub struct $handle:ident, $content:literal, $one:literal, $the:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $handle {
            name: Option<Box<str>>,
            memory: std::sync::Arc<$crate::memory::slot::Slot>,
        }

        impl $handle {
            /// Creates a lock that is free.
            ///
            /// # Errors
            ///
            /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
            pub fn new() -> $crate::Result<$handle> {
                $handle::make(None)
            }

            /// Creates a lock with a name, which appears in errors, such as that of a wait that times out.
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`new`](", stringify!($handle), "::new).")]
            pub fn named(name: &str) -> $crate::Result<$handle> {
                $handle::make(Some(name.into()))
            }

            fn make(name: Option<Box<str>>) -> $crate::Result<$handle> {
                let layout = $crate::sync::typed_memory::LOCKED;
                let what = || $content.to_owned();
                let memory = $crate::sync::typed_memory::create::<u8>(0, layout, what)?;
                let lock = $handle { name, memory };
                $crate::trace::events::made(&lock.memory, || lock.to_string());
                Ok(lock)
            }
        }

        #[doc = concat!("`", $one, "`, or `", $the, " 'left'`.")]
        impl std::fmt::Display for $handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match &self.name {
                    Some(name) => write!(f, "{} '{}'", $the, $crate::errors::quoted::Name(name)),
                    None => f.write_str($one),
                }
            }
        }

        $crate::transfer::handle::handle!(
            $handle,
            $content,
            |lock| Ok((&lock.memory, &lock.name)),
            |memory, name| Ok($handle { name, memory }),
        );
    };
}
pub(crate) use named_lock;

named_lock! {
    /// A lock for mutual exclusion between processes, and between threads: at most one holds it at a time.
    ///
    /// It is a handle: its clones, and what arrives in another process when you pass it to [`spawn`](crate::spawn) or
    /// send it, are the same lock. You decide what the lock guards. For a number or an array in shared memory, use
    /// [`Value`](crate::Value) or [`Array`](crate::Array): you can't forget their locks.
    ///
    /// Python: `multiprocessing.Lock`. Different here: the lock becomes free when its holder dies, and later holders
    /// can see that; a thread that takes a lock it already holds gets an error (Python waits forever in both cases);
    /// and only the guard can release the lock.
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
    memory: held.slot
);

/// The guard of a [`Lock`] that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// The lock is also released when the thread panics or the process is killed. A guard can't move to another thread.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SlotGuard<'a>,
}

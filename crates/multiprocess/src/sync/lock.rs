//! A lock between processes.

use crate::memory::segment::SegmentGuard;
use crate::sync::locking::locking;

/// Defines a lock that guards no memory. `$content` is its type in errors, `$one` its text, `$the` that before a name.
macro_rules! named_lock {
    (
        $(#[$doc:meta])*
        pub struct $handle:ident, $content:literal, $one:literal, $the:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $handle {
            name: Option<Box<str>>,
            memory: std::sync::Arc<$crate::memory::segment::Segment>,
        }

        impl $handle {
            /// Makes a free lock.
            ///
            /// # Errors
            ///
            /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
            pub fn new() -> $crate::Result<$handle> {
                $handle::make(None)
            }

            /// Makes a lock with a name, which appears in the error of a wait that times out.
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`new`](", stringify!($handle), "::new).")]
            pub fn named(name: &str) -> $crate::Result<$handle> {
                $handle::make(Some(name.into()))
            }

            fn make(name: Option<Box<str>>) -> $crate::Result<$handle> {
                let usage = $crate::memory::segment::Access::Locked;
                let what = || $content.to_owned();
                let memory = $crate::sync::typed_memory::create::<u8>(0, usage, what)?;
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
    /// A lock that processes and threads take in turns.
    ///
    /// It is a handle: clones of it, and what arrives in another process when it is given to [`spawn`](crate::spawn) or
    /// sent, are the same lock. You decide what the lock guards; for a number or an array in shared memory,
    /// [`Value`](crate::Value) and [`Array`](crate::Array) have a lock of their own that you cannot forget.
    ///
    /// Python: `multiprocessing.Lock`. Different here: the lock becomes free when its holder dies, and later holders
    /// can see that; a thread that asks for a lock it holds gets an error; Python waits for ever in both cases. And
    /// only the guard can release it.
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
    memory: held.segment
);

/// A lock that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// It is also released when the thread panics or the process is killed. It stays with the thread that took it.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SegmentGuard<'a>,
}

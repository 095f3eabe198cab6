//! A lock between processes.

use std::fmt;
use std::sync::Arc;

use crate::errors::error::Result;
use crate::errors::quoted::Name;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::sync::locking::locking;
use crate::sync::typed_memory::create;
use crate::trace::events;
use crate::transfer::handle::handle;

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
///     let _alone = lock.acquire().expect("this thread doesn't hold it");
///     println!("{word}, said by one process at a time");
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(speak)]);
///     let lock = Lock::new()?;
///     let children = ["tango", "foxtrot"]
///         .map(|word| spawn(speak, (lock.clone(), word.to_owned())));
///     for child in children {
///         child?.join()?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    kind: Kind,
    pub(super) name: Option<Arc<str>>,
    pub(super) memory: Arc<Segment>,
}

locking!(
    Lock, acquire, try_acquire, acquire_timeout,
    memory: |lock| &lock.memory,
    called: ToString::to_string,
    LockGuard: |_, locked| locked.map(|held| LockGuard { held }),
    memory: |guard| guard.held.segment(),
);

/// The type as users see it: an [`RLock`](crate::RLock) contains a [`Lock`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Lock,
    RLock,
}

impl Kind {
    pub(super) fn content(self) -> &'static str {
        match self {
            Kind::Lock => "a Lock",
            Kind::RLock => "an RLock",
        }
    }
}

impl Lock {
    /// Makes a free lock.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
    pub fn new() -> Result<Lock> {
        Lock::make(Kind::Lock, None)
    }

    /// Makes a lock with a name, which appears in the error of a wait that times out.
    ///
    /// # Errors
    ///
    /// As [`new`](Lock::new).
    pub fn named(name: &str) -> Result<Lock> {
        Lock::make(Kind::Lock, Some(name))
    }

    pub(super) fn make(kind: Kind, name: Option<&str>) -> Result<Lock> {
        let memory = create::<u8>(0, Access::Locked, || kind.content().to_owned())?;
        let lock = Lock::of(kind, memory, name);
        events::made(&lock.memory, || lock.to_string());
        Ok(lock)
    }

    pub(super) fn of(kind: Kind, memory: Arc<Segment>, name: Option<&str>) -> Lock {
        let name = name.map(Into::into);
        Lock { kind, name, memory }
    }
}

/// `a lock`, or `the lock 'left'`.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.kind) {
            (Some(name), Kind::Lock) => write!(f, "the lock '{}'", Name(name)),
            (Some(name), Kind::RLock) => write!(f, "the RLock '{}'", Name(name)),
            (None, Kind::Lock) => f.write_str("a lock"),
            (None, Kind::RLock) => f.write_str("an RLock"),
        }
    }
}

handle!(
    Lock,
    Kind::Lock.content(),
    |lock| Ok((&lock.memory, lock.name.as_deref())),
    |memory, name: Option<String>| Ok(Lock::of(Kind::Lock, memory, name.as_deref())),
);

/// A lock that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// It is released also when the thread panics, and when the process is killed. It stays with the thread that
/// acquired it.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SegmentGuard<'a>,
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("holder_died", &self.holder_died())
            .finish()
    }
}

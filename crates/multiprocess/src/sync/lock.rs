//! A lock between processes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::errors::quoted::Name;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::trace::events;
use crate::transfer::handle::handle;

/// A lock that processes and threads take in turns.
///
/// It is a handle: clones of it, and what arrives in another process when it is given to [`spawn`](crate::spawn) or
/// sent, are the same lock. What the lock guards is up to those who use it; for a number or an array in shared
/// memory, [`Value`](crate::Value) and [`Array`](crate::Array) have a lock of their own that cannot be forgotten.
///
/// Python: `multiprocessing.Lock`. Different here: the lock comes free when its holder dies, and later holders are
/// told so, where Python waits for ever; a thread that asks for a lock it holds gets an error, where Python waits
/// for ever; and only the guard can release it.
///
/// # Examples
///
/// ```
/// use multiprocess::{Lock, spawn, task};
///
/// fn speak(lock: Lock, word: String) -> Result<(), String> {
///     let _alone = lock.acquire().map_err(|error| error.to_string())?;
///     println!("{word}, said by one process at a time");
///     Ok(())
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(speak)]);
///     let lock = Lock::new()?;
///     let children = ["tango", "foxtrot"]
///         .map(|word| spawn(speak, (lock.clone(), word.to_owned())));
///     for child in children {
///         child?.join()?.expect("nobody dies holding the lock");
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Lock {
    segment: Arc<Segment>,
    name: Option<Arc<str>>,
}

impl Lock {
    /// Makes a lock that nobody holds.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new() -> Result<Lock> {
        let segment = Segment::create(0, Access::Locked);
        let segment = segment.map_err(|source| Error::memory(CONTENT, source))?;
        let lock = Lock {
            segment,
            name: None,
        };
        events::made(&lock.segment, || lock.to_string());
        Ok(lock)
    }

    /// Makes a lock with a name, which stands in the error of those who wait for it in vain.
    ///
    /// # Errors
    ///
    /// As [`new`](Lock::new).
    pub fn named(name: &str) -> Result<Lock> {
        let lock = Lock {
            name: Some(name.into()),
            ..Lock::new()?
        };
        events::made(&lock.segment, || lock.to_string());
        Ok(lock)
    }

    /// Waits until the lock is free and takes it. Python: `Lock.acquire()`.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`] if this thread holds it.
    #[inline]
    pub fn acquire(&self) -> Result<LockGuard<'_>> {
        let held = self
            .segment
            .lock(None)
            .map_err(|refused| self.refusal(refused, None))?;
        Ok(LockGuard { held })
    }

    /// Takes the lock if it is free; `None` if somebody holds it. Python: `Lock.acquire(block=False)`.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`] if this thread holds it.
    pub fn try_acquire(&self) -> Result<Option<LockGuard<'_>>> {
        match self.segment.try_lock() {
            Ok(held) => Ok(Some(LockGuard { held })),
            Err(Refused::Busy) => Ok(None),
            Err(refused) => Err(self.refusal(refused, None)),
        }
    }

    /// Waits until the lock is free, but not longer than `limit`, and takes it.
    ///
    /// Python: `Lock.acquire(timeout=seconds)`, which returns False where this is an error that says who holds it.
    ///
    /// # Errors
    ///
    /// [`Error::LockTimeout`] if it was not free in time, [`Error::HeldAlready`] if this thread holds it.
    pub fn acquire_timeout(&self, limit: Duration) -> Result<LockGuard<'_>> {
        let held = self
            .segment
            .lock(Instant::now().checked_add(limit))
            .map_err(|refused| self.refusal(refused, Some(limit)))?;
        Ok(LockGuard { held })
    }

    #[cold]
    fn refusal(&self, refused: Refused, limit: Option<Duration>) -> Error {
        refusal(refused, &self.segment, self.to_string(), limit)
    }
}

/// The error for a lock that was not got.
pub(crate) fn refusal(
    refused: Refused,
    segment: &Segment,
    what: String,
    limit: Option<Duration>,
) -> Error {
    events::lock_refused(segment);
    match refused {
        Refused::Busy => Error::LockTimeout {
            what,
            limit: limit.unwrap_or_default(),
            holder: segment
                .holder()
                .map(|holder| crate::errors::holder::Holder::of(holder.pid())),
        },
        Refused::HeldByThisThread => Error::HeldAlready { what },
        Refused::System(source) => Error::Memory { what, source },
    }
}

/// `a lock`, or `the lock 'left'`.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the lock '{}'", Name(name)),
            None => f.write_str("a lock"),
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("name", &self.name)
            .field("memory", &self.segment)
            .finish()
    }
}

const CONTENT: &str = "a Lock";

handle!(
    Lock,
    CONTENT,
    |lock| Ok((&lock.segment, lock.name.as_deref())),
    |segment, name: Option<String>| Ok(Lock {
        segment,
        name: name.map(Into::into),
    }),
);

/// A lock that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// It is released also when the thread panics, and when the process is killed. It stays with the thread that
/// acquired it.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SegmentGuard<'a>,
}

impl LockGuard<'_> {
    /// Returns whether a process died while it held the lock, so that what the lock guards may be half changed.
    ///
    /// Every later holder is told, until one calls [`clear_death`](LockGuard::clear_death); std's mutexes stay poisoned in
    /// the same way. A thread that leaked its guard and ended counts as dead, too.
    #[must_use]
    pub fn holder_died(&self) -> bool {
        self.dead_holder().is_some()
    }

    /// Returns the process id of the last holder that died, if [`holder_died`](LockGuard::holder_died).
    #[must_use]
    pub fn dead_holder(&self) -> Option<u32> {
        self.held.segment().dead_holder()
    }

    /// Clears the notice that a holder died: later holders aren't told any more. Call it when you have repaired the
    /// data. It is std's `Mutex::clear_poison`.
    pub fn clear_death(&mut self) {
        self.held.segment().clear_death();
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("holder_died", &self.holder_died())
            .finish()
    }
}

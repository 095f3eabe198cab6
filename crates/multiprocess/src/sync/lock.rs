//! A lock between processes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::errors::quoted::Name;
use crate::memory::segment::{Access, Segment, SegmentGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::sync::death_notice::death_notice;
use crate::trace::events;
use crate::transfer::handle::handle;

/// A lock that processes and threads take in turns.
///
/// It is a handle: clones of it, and what arrives in another process when it is given to [`spawn`](crate::spawn) or
/// sent, are the same lock. You decide what the lock guards; for a number or an array in shared memory,
/// [`Value`](crate::Value) and [`Array`](crate::Array) have a lock of their own that you cannot forget.
///
/// Python: `multiprocessing.Lock`. Different here: the lock becomes free when its holder dies, and later holders can
/// see that, where Python waits for ever; a thread that asks for a lock it holds gets an error, where Python waits for
/// ever; and only the guard can release it.
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
///         child?.join()?.expect("no holder dies");
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Lock {
    pub(super) segment: Arc<Segment>,
    kind: Kind,
    pub(super) name: Option<Arc<str>>,
}

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
    /// [`Error::Memory`] if there is no shared memory for it.
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
        let segment = Segment::create(0, Access::Locked);
        let segment = segment.map_err(|source| Error::memory(kind.content(), source))?;
        let lock = Lock::of(kind, segment, name.map(Into::into));
        events::made(&lock.segment, || lock.to_string());
        Ok(lock)
    }

    pub(super) fn of(kind: Kind, segment: Arc<Segment>, name: Option<Box<str>>) -> Lock {
        let name = name.map(Into::into);
        Lock {
            segment,
            kind,
            name,
        }
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
            .lock(WaitUntil::Until(None))
            .map_err(|refused| self.refusal(refused, None))?;
        Ok(LockGuard { held })
    }

    /// Takes the lock if it is free; `None` if it is held. Python: `Lock.acquire(block=False)`.
    ///
    /// # Errors
    ///
    /// [`Error::HeldAlready`] if this thread holds it.
    pub fn try_acquire(&self) -> Result<Option<LockGuard<'_>>> {
        match self.segment.lock(WaitUntil::Try) {
            Ok(held) => Ok(Some(LockGuard { held })),
            Err(Refused::Busy) => Ok(None),
            Err(refused) => Err(self.refusal(refused, None)),
        }
    }

    /// Waits until the lock is free, but not longer than `limit`, and takes it.
    ///
    /// Python: `Lock.acquire(timeout=seconds)`, which returns False where this is an error that names the holder.
    ///
    /// # Errors
    ///
    /// [`Error::LockTimeout`] if it was not free in time, [`Error::HeldAlready`] if this thread holds it.
    pub fn acquire_timeout(&self, limit: Duration) -> Result<LockGuard<'_>> {
        let held = self
            .segment
            .lock(WaitUntil::Until(Instant::now().checked_add(limit)))
            .map_err(|refused| self.refusal(refused, Some(limit)))?;
        Ok(LockGuard { held })
    }

    #[cold]
    pub(super) fn refusal(&self, refused: Refused, limit: Option<Duration>) -> Error {
        refusal(refused, &self.segment, self.to_string(), limit)
    }
}

/// Returns the error for a lock that the thread did not get.
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
        match (&self.name, self.kind) {
            (Some(name), Kind::Lock) => write!(f, "the lock '{}'", Name(name)),
            (Some(name), Kind::RLock) => write!(f, "the RLock '{}'", Name(name)),
            (None, Kind::Lock) => f.write_str("a lock"),
            (None, Kind::RLock) => f.write_str("an RLock"),
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(&format!("{:?}", self.kind))
            .field("name", &self.name)
            .field("memory", &self.segment)
            .finish()
    }
}

handle!(
    Lock,
    Kind::Lock.content(),
    |lock| Ok((&lock.segment, lock.name.as_deref())),
    |segment, name| Ok(Lock::of(Kind::Lock, segment, name)),
);

/// A lock that is held; dropping it releases the lock. Python: the block of `with lock:`.
///
/// It is released also when the thread panics, and when the process is killed. It stays with the thread that
/// acquired it.
#[must_use = "dropping the guard releases the lock at once"]
pub struct LockGuard<'a> {
    held: SegmentGuard<'a>,
}

death_notice!(LockGuard, |guard| guard.held.segment());

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("holder_died", &self.holder_died())
            .finish()
    }
}

//! What all types with a lock have in common: how to take it, and how its guard shows that a holder died.

use crate::errors::error::Error;
use crate::errors::holder::Holder;
use crate::memory::slot::{Slot, SlotGuard};
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events::event;

/// What a slot returns to a thread that takes its lock.
pub(crate) type Locked<'a> = Result<SlotGuard<'a>, Refused>;

/// Adds the three methods that take a lock to a handle, and the three about dead holders to its guard.
///
/// The closures return a handle's name in errors, and its guard for what its slot returned. The last argument is the
/// guard's path to the slot.
macro_rules! locking {
    (
        $handle:ident $(<$of:ident: $bound:path>)?,
        called: $called:expr,
        $guard:ident: $make:expr,
        memory: $($held:tt)+
    ) => {
        impl $(<$of: $bound>)? $handle $(<$of>)? {
            /// Waits until the lock is free, takes it, and returns its guard. Python: `acquire()`, or `with lock:`.
            ///
            /// Unlike with std's mutexes, it is not an error if an earlier holder died; the guard's `holder_died`
            /// returns true. The next holder sees everything that a holder wrote to shared memory before it released
            /// the lock.
            ///
            /// # Errors
            ///
            /// [`Error::HeldAlready`](crate::Error::HeldAlready) if this thread already holds it, except for an
            /// [`RLock`](crate::RLock); [`Error::Memory`](crate::Error::Memory) if the operating system refuses, or if
            /// the lock guards memory and a thread of this process leaked the guard and has ended: the lock then stays
            /// held until the process ends.
            #[inline]
            pub fn lock(&self) -> $crate::Result<$guard<'_ $(, $of)?>> {
                self.take($crate::platform::wait_until::WaitUntil::Until(None))
            }

            /// Takes the lock if it is free, without waiting for it. Python: `acquire(block=False)`.
            ///
            /// # Errors
            ///
            /// As [`lock`](Self::lock), and [`Error::WouldBlock`](crate::Error::WouldBlock) if another thread holds it.
            pub fn try_lock(&self) -> $crate::Result<$guard<'_ $(, $of)?>> {
                self.take($crate::platform::wait_until::WaitUntil::Try)
            }

            /// Waits at most `limit` until the lock is free, and takes it.
            ///
            /// Python: `acquire(timeout=seconds)`, which returns False where this returns an error that names the
            /// holder.
            ///
            /// # Errors
            ///
            /// As [`lock`](Self::lock), and [`Error::LockTimeout`](crate::Error::LockTimeout) if it isn't free within
            /// `limit`.
            pub fn lock_timeout(
                &self,
                limit: std::time::Duration,
            ) -> $crate::Result<$guard<'_ $(, $of)?>> {
                self.take($crate::platform::wait_until::WaitUntil::within(limit))
            }

            #[allow(clippy::inline_always, reason = "as for the drop of the guard")]
            #[inline(always)]
            fn take<'a>(
                &'a self,
                limit: $crate::platform::wait_until::WaitUntil,
            ) -> $crate::Result<$guard<'a $(, $of)?>> {
                let guard: fn(&'a Self, $crate::sync::locking::Locked<'a>) -> _ = $make;
                let called: fn(&Self) -> String = $called;
                guard(self, self.memory.lock(limit)).map_err(|refused| {
                    $crate::sync::locking::refusal(refused, &self.memory, called(self), limit)
                })
            }
        }

        impl $(<$of>)? $guard<'_ $(, $of)?> {
            /// Returns whether a process died while it held the lock: the data that it guards may be half changed.
            ///
            /// It returns true for every later holder, until one calls [`clear_death`](Self::clear_death), as std's
            /// mutexes stay poisoned. For a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock), a thread that leaked
            /// its guard and ended counts as dead too.
            #[must_use]
            pub fn holder_died(&self) -> bool {
                self.dead_holder().is_some()
            }

            /// Returns the process id of the last holder that died; `None` unless [`holder_died`](Self::holder_died).
            #[must_use]
            pub fn dead_holder(&self) -> Option<u32> {
                self.$($held)+.dead_holder()
            }

            /// Resets [`holder_died`](Self::holder_died), for later holders too. Call it when you have repaired the
            /// data.
            ///
            /// It corresponds to std's `Mutex::clear_poison`.
            pub fn clear_death(&mut self) {
                self.$($held)+.clear_death();
            }
        }

        $crate::sync::locking::locking!(@debug $guard $(<$of>)?);
    };
    // A guard that lends data prints that.
    (@debug $guard:ident <$of:ident>) => {};
    (@debug $guard:ident) => {
        impl std::fmt::Debug for $guard<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($guard))
                    .field("holder_died", &self.holder_died())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use locking;

/// Returns the error for a lock that the thread did not get.
#[cold]
pub(crate) fn refusal(refused: Refused, memory: &Slot, what: String, limit: WaitUntil) -> Error {
    event!(TRACE, lock = ?memory, "lock refused");
    match (refused, limit) {
        (Refused::Busy, WaitUntil::Within(limit, _)) => {
            let holder = memory.holder().map(|it| Holder::of(it.pid()));
            Error::LockTimeout {
                what,
                limit,
                holder,
            }
        }
        (Refused::Busy, _) => {
            let reason = format!("{what} is held");
            Error::WouldBlock { reason }
        }
        (Refused::HeldByThisThread, _) => Error::HeldAlready { what },
        (Refused::System(source), _) => Error::Memory { what, source },
    }
}

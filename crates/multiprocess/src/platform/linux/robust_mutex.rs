//! A lock that survives the death of its holder: a robust, process-shared mutex of the C library.
//!
//! One of the two files with unsafe code; the other one is `memory/chunk.rs`, which uses it.

#![allow(unsafe_code, reason = "no safe wrapper of the mutex exists")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libc::{c_int, pthread_mutex_t, timespec};

use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;

/// How long a thread waits before it checks whether the mutex is free.
const SLICE: Duration = Duration::from_millis(100);

#[repr(transparent)]
pub(crate) struct RobustMutex(UnsafeCell<pthread_mutex_t>);

// SAFETY: the C library's mutex is made to be used by several threads at once, through its functions only,
// and nothing else here touches the bytes.
unsafe impl Sync for RobustMutex {}

impl RobustMutex {
    /// Initialises the bytes as a mutex that is free.
    ///
    /// # Safety
    ///
    /// No other thread or process may know of it yet.
    pub(crate) unsafe fn init(&self) -> std::io::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: the attributes are initialised by the first call and used only after it; the caller
        // guarantees that the mutex is ours alone.
        unsafe {
            check(libc::pthread_mutexattr_init(attributes))?;
            let made = [
                libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED),
                libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST),
                libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_ERRORCHECK),
                libc::pthread_mutex_init(self.0.get(), attributes),
            ];
            libc::pthread_mutexattr_destroy(attributes);
            made.into_iter().try_for_each(check)
        }
    }

    /// Locks the mutex. If its holder ended without unlocking it, the mutex counts as free; the caller has to handle
    /// what that means for the memory that it guards.
    #[inline]
    pub(crate) fn lock(&self, limit: WaitUntil) -> Result<(), Refused> {
        // SAFETY: the mutex was initialised before any other thread or process knew of it, and stays mapped while
        // there is a reference to it.
        match unsafe { libc::pthread_mutex_trylock(self.0.get()) } {
            libc::EBUSY => self.wait(limit),
            code => self.outcome(code),
        }
    }

    /// Waits in slices, and checks after each: an unlock wakes one waiter, and if that one is killed before it can lock
    /// the mutex, the wake-up is lost. Without any wait it still finds out whether this thread holds the mutex, which
    /// `trylock` doesn't report.
    #[cold]
    fn wait(&self, limit: WaitUntil) -> Result<(), Refused> {
        // The C library counts by the wall clock, which can be set, so each call waits for one slice only. (The call
        // for another clock, `pthread_mutex_clocklock`, is not in every C library that Rust supports.)
        loop {
            let end = (SystemTime::now() + limit.rest(SLICE)).duration_since(UNIX_EPOCH);
            let end = end.unwrap_or_default();
            let end = timespec {
                tv_sec: libc::time_t::try_from(end.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: libc::c_long::from(i32::try_from(end.subsec_nanos()).unwrap_or(0)),
            };
            // SAFETY: as in `lock`; `end` lives through the call.
            match unsafe { libc::pthread_mutex_timedlock(self.0.get(), &raw const end) } {
                libc::ETIMEDOUT if !limit.is_over() => {}
                code => return self.outcome(code),
            }
        }
    }

    /// Unlocks the mutex, which this thread has locked.
    #[inline]
    pub(crate) fn unlock(&self) {
        // SAFETY: as in `lock`; where this thread does not hold it, the call reports an error and does nothing.
        let code = unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        debug_assert_eq!(code, 0, "a guard unlocks what its thread has locked");
    }

    #[inline]
    fn outcome(&self, code: c_int) -> Result<(), Refused> {
        match code {
            0 => Ok(()),
            libc::EOWNERDEAD => {
                // At once: a mutex that is unlocked before that refuses all threads forever.
                // SAFETY: as in `lock`; this thread holds the mutex now, which is what the call asks for.
                unsafe { libc::pthread_mutex_consistent(self.0.get()) };
                Ok(())
            }
            libc::EDEADLK => Err(Refused::HeldByThisThread),
            libc::EBUSY | libc::ETIMEDOUT => Err(Refused::Busy),
            code => Err(std::io::Error::from_raw_os_error(code).into()),
        }
    }
}

fn check(code: c_int) -> std::io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(std::io::Error::from_raw_os_error(code)),
    }
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;
    use crate::platform::futex;

    const LIMIT: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(20);

    fn mutex() -> &'static RobustMutex {
        let mutex = RobustMutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        let mutex = Box::leak(Box::new(mutex));
        // SAFETY: no other thread knows of it.
        unsafe { mutex.init() }.expect("it can be made");
        mutex
    }

    #[test]
    fn a_waiter_gets_a_free_mutex_after_the_woken_one_died() {
        let mutex = mutex();
        // SAFETY: in this C library a mutex begins with its futex word, and all use it by atomics.
        let word = unsafe { &*mutex.0.get().cast::<AtomicU32>() };
        mutex.lock(WaitUntil::Until(None)).expect("it is free");
        // The waiter that will be woken, and then does nothing.
        let seen = word.load(Ordering::SeqCst);
        let dead = std::thread::spawn(move || {
            futex::wait(&[(word, seen)], Instant::now() + LIMIT);
        });
        std::thread::sleep(MOMENT);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            mutex.lock(WaitUntil::Until(None)).expect("it comes free");
            sender.send(()).expect("the test waits for it");
            mutex.unlock();
        });
        std::thread::sleep(MOMENT);
        mutex.unlock();
        dead.join().expect("it was woken");
        let locked = receiver.recv_timeout(LIMIT);
        assert!(locked.is_ok(), "the mutex is free, and a thread waits");
    }
}

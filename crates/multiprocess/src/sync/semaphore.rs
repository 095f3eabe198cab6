//! The semaphore: a number of permits that processes take and release.

use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::liveness::UniquePid;
use crate::memory::timeout::is_over;
use crate::platform::file_lock::Refused;
use crate::sync::monitor::{Monitor, Numbers, Table};
use crate::transfer::handle::handle;

/// A fixed number of permits: as many threads, of any processes, may hold one at the same time.
///
/// It is a handle, like [`Lock`](crate::Lock). A permit is released when its [`Permit`] is dropped, also by a panic,
/// and within a tenth of a second after its process dies.
///
/// Python: `multiprocessing.Semaphore(n)`. Different here: a permit of a killed process is released, where Python loses
/// it; and only its guard releases a permit, so there are never more of them than at the beginning, as with Python's
/// `BoundedSemaphore`. To signal another process, as Python programs do by `release` without `acquire`, use
/// [`Event`](crate::Event) or [`Condition`](crate::Condition).
///
/// # Examples
///
/// ```
/// use multiprocess::{Semaphore, spawn, task};
///
/// fn download(number: u32, at_once: Semaphore) -> u32 {
///     let _permit = at_once.acquire().expect("there is shared memory");
///     // There are never more than two processes here.
///     number * 10
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(download)]);
///     let at_once = Semaphore::new(2)?;
///     let children = [1, 2, 3, 4].map(|number| spawn(download, (number, at_once.clone())));
///     for (number, child) in (1..).zip(children) {
///         assert_eq!(child?.join()?, number * 10);
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    monitor: Monitor,
    permits: u32,
}

// The numbers: how many permits are free; then for each process that holds some, its number and how many.
const FREE: usize = 0;
const HOLDERS: Table<2> = Table(1);

/// The most processes that can hold permits at one time; a further one waits as if all permits were taken.
const MAX_HOLDERS: u32 = 1024;

/// The eventcount that is notified when a permit is free again.
const FREED: usize = 0;

impl Semaphore {
    /// Makes a semaphore of `permits` permits, all free. At most 1024 processes hold some of them at one time.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new(permits: u32) -> Result<Semaphore> {
        let holders = permits.min(MAX_HOLDERS) as usize;
        let monitor = Monitor::new(HOLDERS.0 + 2 * holders, CONTENT)?;
        monitor.enter()?.change(&[(FREE, u64::from(permits))]);
        Ok(Semaphore { monitor, permits })
    }

    /// Waits for a permit and takes it. Python: `Semaphore.acquire()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the operating system refuses.
    pub fn acquire(&self) -> Result<Permit<'_>> {
        let refusal = |refused| self.monitor.refusal(refused, None);
        loop {
            if let Some(permit) = self.take(None).map_err(refusal)? {
                return Ok(permit);
            }
        }
    }

    /// Takes a permit if one is free. Python: `Semaphore.acquire(block=False)`.
    ///
    /// It waits for another process that takes or releases a permit at this moment, but not longer than a millisecond.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self) -> Result<Option<Permit<'_>>> {
        match self.take(Some(Instant::now())) {
            Err(Refused::Busy) => Ok(None),
            taken => taken.map_err(|refused| self.monitor.refusal(refused, None)),
        }
    }

    /// Waits for a permit, but not longer than `limit`; the error names the holders of the permits.
    ///
    /// Python: `Semaphore.acquire(timeout=seconds)`, which returns False then.
    ///
    /// # Errors
    ///
    /// [`Error::PermitTimeout`] if none was free in time; [`Error::LockTimeout`] if that is unknown, because a process
    /// was stopped in the middle of taking or releasing a permit.
    pub fn acquire_timeout(&self, limit: Duration) -> Result<Permit<'_>> {
        let deadline = Instant::now().checked_add(limit);
        let refusal = |refused| self.monitor.refusal(refused, Some(limit));
        if let Some(permit) = self.take(deadline).map_err(refusal)? {
            return Ok(permit);
        }
        let numbers = self.monitor.lock(deadline).map_err(refusal)?;
        let holders: Vec<_> = HOLDERS.processes(numbers.all()).collect();
        drop(numbers);
        Err(Error::PermitTimeout {
            limit,
            permits: self.permits,
            holders: holders.iter().map(|(_, holder)| holder.holder()).collect(),
        })
    }

    /// Returns the number of permits, free or not.
    #[must_use]
    pub fn permits(&self) -> u32 {
        self.permits
    }

    /// Returns the number of permits that are free at this moment. Python: `Semaphore.get_value()`.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn free(&self) -> Result<u32> {
        let mut numbers = self.monitor.enter()?;
        self.release_dead(&mut numbers);
        Ok(u32::try_from(numbers.get(FREE)).unwrap_or(self.permits))
    }

    /// Takes a permit; `None` if none was free until the deadline.
    fn take(&self, deadline: Option<Instant>) -> Result<Option<Permit<'_>>, Refused> {
        let me = UniquePid::own();
        let mut check = is_over(deadline);
        loop {
            let locked = self.monitor.lock(deadline);
            // The wake-up may have been for a free permit: pass it on.
            let mut numbers =
                locked.inspect_err(|_| self.monitor.eventcount(FREED).notify_one())?;
            if take_one(&mut numbers, me)
                || check && self.release_dead(&mut numbers) && take_one(&mut numbers, me)
            {
                return Ok(Some(Permit { semaphore: self }));
            }
            if check && is_over(deadline) {
                return Ok(None);
            }
            check = self.monitor.wait(numbers, FREED, deadline);
        }
    }

    /// Releases the permits of dead processes; returns whether there were some.
    fn release_dead(&self, numbers: &mut Numbers<'_>) -> bool {
        let dead = HOLDERS.dead(numbers.all(), self.monitor.run());
        for &(place, _) in &dead {
            let free = numbers.get(FREE) + numbers.get(place + 1);
            numbers.change(&[(FREE, free), (place, 0), (place + 1, 0)]);
        }
        if !dead.is_empty() {
            self.monitor.eventcount(FREED).notify_all();
        }
        !dead.is_empty()
    }
}

/// Takes a permit if one is free.
fn take_one(numbers: &mut Numbers<'_>, me: UniquePid) -> bool {
    let free = numbers.get(FREE);
    if free == 0 {
        return false;
    }
    let all = numbers.all();
    let place = HOLDERS.place_of(all, me.number());
    let Some(place) = place.or_else(|| HOLDERS.place_of(all, 0)) else {
        return false;
    };
    let count = numbers.get(place + 1) + 1;
    numbers.change(&[(FREE, free - 1), (place, me.number()), (place + 1, count)]);
    true
}

const CONTENT: &str = "a Semaphore";

handle!(
    Semaphore,
    CONTENT,
    |semaphore| Ok((semaphore.monitor.memory(), semaphore.permits)),
    |memory, permits| {
        let monitor = Monitor::of(memory, CONTENT);
        Ok(Semaphore { monitor, permits })
    },
);

/// A permit of a [`Semaphore`]; dropping it releases it. Python: the block of `with semaphore:`.
///
/// Another thread of the process may drop it. If it is leaked, it is released when the process ends.
#[derive(Debug)]
#[must_use = "dropping the permit gives it back at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let monitor = &self.semaphore.monitor;
        let me = UniquePid::own().number();
        // If it is refused, the permit is released when the process ends.
        let Ok(mut numbers) = monitor.lock(None) else {
            return;
        };
        // If this process is ending, another one may have released it.
        if let Some(place) = HOLDERS.place_of(numbers.all(), me) {
            let (free, count) = (numbers.get(FREE) + 1, numbers.get(place + 1) - 1);
            let process = if count > 0 { me } else { 0 };
            numbers.change(&[(FREE, free), (place, process), (place + 1, count)]);
        }
        drop(numbers);
        monitor.eventcount(FREED).notify_one();
    }
}

//! The condition variable: a lock whose holder can wait until another holder notifies it of a change.

use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::liveness::UniquePid;
use crate::platform::wait_until::is_over;
use crate::sync::locking::locking;
use crate::sync::monitor::{EVENTCOUNTS, Monitor, Numbers, Table};
use crate::transfer::handle::handle;

/// A condition variable with its lock: a holder can wait until another holder notifies it of a change.
///
/// It is a handle, like [`Lock`](crate::Lock). What has changed is stored elsewhere, for example in a
/// [`Value`](crate::Value) that is only touched under the condition's lock. There are no spurious wake-ups.
///
/// Python: `multiprocessing.Condition`. Different here: only the guard of the condition's lock can wait and notify,
/// where Python raises an error at run time if the lock is not held; and if a process is killed before it could act on
/// a notification, the next waiter gets it, at most a tenth of a second later, where `notify` can wait for ever.
///
/// # Examples
///
/// ```
/// use multiprocess::{Condition, RawValue, spawn, task};
///
/// fn baker(shop: Condition, loaves: RawValue<u32>) {
///     let mut shop = shop.lock().expect("there is shared memory");
///     loaves.update(|count| count + 1);
///     shop.notify_one();
/// }
///
/// fn main() -> Result<(), multiprocess::Error> {
///     multiprocess::init([task(baker)]);
///     let shop = Condition::new()?;
///     let loaves = RawValue::new(0)?;
///     let child = spawn(baker, (shop.clone(), loaves.clone()))?;
///     shop.lock()?.wait_for(|| loaves.get() > 0)?;
///     child.join()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Condition {
    monitor: Monitor,
}

locking!(
    Condition,
    memory: |condition| condition.monitor.memory(),
    called: |_| CONTENT.to_owned(),
    ConditionGuard: |condition, locked| {
        let monitor = &condition.monitor;
        let numbers = Some(Numbers::new(locked?));
        Ok(ConditionGuard { monitor, numbers })
    },
    memory: |guard| guard.monitor.memory(),
);

// The numbers. A waiter has a ticket, one higher than the one before. It is notified if its place says so, or if its
// ticket is below the second number.
const NEXT_TICKET: usize = 0;
const ALL_BELOW: usize = 1;
/// The end of the places that were ever taken.
const END: usize = 2;
/// For each waiter: its process, and twice its ticket, plus 1 if it is notified.
const PLACES: Table<2> = Table(3);

/// The maximum number of waiters.
const MAX_WAITERS: usize = 1024;

impl Condition {
    /// Makes a condition whose lock is free. At most 1024 threads, of all processes, can wait at one time.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new() -> Result<Condition> {
        let monitor = Monitor::new(PLACES.0 + 2 * MAX_WAITERS, CONTENT)?;
        Ok(Condition { monitor })
    }
}

/// The lock of a [`Condition`], held; dropping it releases the lock.
#[must_use = "dropping the guard releases the lock at once"]
pub struct ConditionGuard<'a> {
    monitor: &'a Monitor,
    /// `None` while waiting.
    numbers: Option<Numbers<'a>>,
}

impl<'a> ConditionGuard<'a> {
    /// Releases the lock, waits for a notification, and takes the lock again. Python: `Condition.wait()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if 1024 wait already, or the operating system refuses.
    pub fn wait(&mut self) -> Result<()> {
        self.wait_until(None).map(|_| ())
    }

    /// As [`wait`](ConditionGuard::wait), but not longer than `limit`, and then until the lock is free.
    ///
    /// Python: `Condition.wait(seconds)`, which returns False when the time is over.
    ///
    /// # Errors
    ///
    /// As [`wait`](ConditionGuard::wait), and [`Error::Timeout`] if it was not notified in time.
    pub fn wait_timeout(&mut self, limit: Duration) -> Result<()> {
        if self.wait_until(Instant::now().checked_add(limit))? {
            return Ok(());
        }
        let event = "a notification".to_owned();
        Err(Error::Timeout { event, limit })
    }

    /// Waits until `holds`, called under the lock, returns true. Python: `Condition.wait_for(predicate)`.
    ///
    /// # Errors
    ///
    /// As [`wait`](ConditionGuard::wait).
    pub fn wait_for(&mut self, mut holds: impl FnMut() -> bool) -> Result<()> {
        while !holds() {
            self.wait()?;
        }
        Ok(())
    }

    /// As [`wait_for`](ConditionGuard::wait_for), but waits no longer than `limit`.
    ///
    /// # Errors
    ///
    /// As [`wait`](ConditionGuard::wait), and [`Error::Timeout`] if `holds` did not return true in time.
    pub fn wait_for_timeout(
        &mut self,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<()> {
        let deadline = Instant::now().checked_add(limit);
        while !holds() {
            if is_over(deadline) {
                let event = "what it waits for to be true".to_owned();
                return Err(Error::Timeout { event, limit });
            }
            self.wait_until(deadline)?;
        }
        Ok(())
    }

    /// Notifies the waiter that has waited longest, if there is one. Python: `Condition.notify()`.
    pub fn notify_one(&mut self) {
        if let Some(numbers) = &mut self.numbers {
            notify_next(self.monitor, numbers);
        }
    }

    /// Notifies all waiters. Python: `Condition.notify_all()`.
    pub fn notify_all(&mut self) {
        if let Some(numbers) = &mut self.numbers {
            let next = numbers.get(NEXT_TICKET);
            numbers.change(&[(ALL_BELOW, next)]);
            for which in 0..EVENTCOUNTS {
                self.monitor.eventcount(which).notify_all();
            }
        }
    }

    fn locked(&mut self) -> Result<&mut Numbers<'a>> {
        if self.numbers.is_none() {
            self.numbers = Some(self.monitor.enter()?);
        }
        Ok(self.numbers.as_mut().expect("it was locked just now"))
    }

    /// Waits; returns whether it was notified.
    fn wait_until(&mut self, deadline: Option<Instant>) -> Result<bool> {
        let monitor = self.monitor;
        let me = UniquePid::own();
        let numbers = self.locked()?;
        let Some(place) = PLACES.place_of(numbers.all(), 0) else {
            let reason = format!("{MAX_WAITERS} threads wait already");
            return Err(Error::memory(CONTENT, std::io::Error::other(reason)));
        };
        let ticket = numbers.get(NEXT_TICKET);
        let end = numbers.get(END).max(place as u64 + 2);
        numbers.change(&[
            (NEXT_TICKET, ticket + 1),
            (place, me.number()),
            (place + 1, 2 * ticket),
            (END, end),
        ]);
        let which = eventcount_of(place);
        loop {
            let numbers = self.numbers.take().expect("it is locked");
            let check = monitor.wait(numbers, which, deadline);
            let numbers = self.locked()?;
            if check {
                remove_dead(monitor, numbers);
            }
            let notified = is_notified(numbers, place);
            if notified || is_over(deadline) {
                numbers.change(&[(place, 0), (place + 1, 0)]);
                return Ok(notified);
            }
        }
    }
}

fn is_notified(numbers: &Numbers<'_>, place: usize) -> bool {
    let ticket = numbers.get(place + 1);
    ticket % 2 == 1 || ticket / 2 < numbers.get(ALL_BELOW)
}

/// Returns the numbers up to the last waiter.
fn used<'a>(numbers: &'a Numbers<'_>) -> &'a [u64] {
    let all = numbers.all();
    let end = usize::try_from(numbers.get(END)).unwrap_or(usize::MAX);
    &all[..end.clamp(PLACES.0, all.len())]
}

/// Notifies the waiter that has waited longest and is alive.
fn notify_next(monitor: &Monitor, numbers: &mut Numbers<'_>) {
    loop {
        let first = PLACES
            .processes(used(numbers))
            .filter(|&(place, _)| !is_notified(numbers, place))
            .min_by_key(|&(place, _)| numbers.get(place + 1));
        let Some((place, process)) = first else {
            return;
        };
        if process.has_ended(monitor.run()) {
            numbers.change(&[(place, 0), (place + 1, 0)]);
            continue;
        }
        let notified = numbers.get(place + 1) + 1;
        numbers.change(&[(place + 1, notified)]);
        monitor.eventcount(eventcount_of(place)).notify_all();
        return;
    }
}

/// Returns which eventcount the waiter at a place waits for. Places are two numbers apart.
fn eventcount_of(place: usize) -> usize {
    (place - PLACES.0) / 2 % EVENTCOUNTS
}

/// Removes the waiters of dead processes, and passes on the notifications that only they had got.
fn remove_dead(monitor: &Monitor, numbers: &mut Numbers<'_>) {
    for (place, _) in PLACES.dead(used(numbers), monitor.run()) {
        let for_it_alone = numbers.get(place + 1) % 2 == 1;
        if for_it_alone {
            // First, so that a death between the two notifies one too many rather than one too few.
            notify_next(monitor, numbers);
        }
        numbers.change(&[(place, 0), (place + 1, 0)]);
    }
}

const CONTENT: &str = "a Condition";

handle!(
    Condition,
    CONTENT,
    |condition| Ok((condition.monitor.memory(), ())),
    |memory, ()| {
        let monitor = Monitor::of(memory, CONTENT);
        Ok(Condition { monitor })
    },
);

//! The condition variable: a lock whose holder can wait until another holder notifies it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::errors::error::{Error, Result};
use crate::memory::eventcount::EventCount;
use crate::memory::layout::{Access, words};
use crate::memory::liveness::UniquePid;
use crate::memory::slot::{Slot, SlotGuard};
use crate::platform::wait_until::is_over;
use crate::sync::locking::locking;
use crate::sync::table::{Table, next_check};
use crate::sync::typed_memory::{Layout, create};
use crate::transfer::handle::handle;

/// A condition variable with its lock: a holder can wait until another holder notifies it of a change.
///
/// It is a handle, like [`Lock`](crate::Lock). The data that changes is stored elsewhere, for example in a
/// [`RawValue`](crate::RawValue) that you access only under the condition's lock. There are no spurious wake-ups.
///
/// Python: `multiprocessing.Condition`. Different here: only the guard of the condition's lock can wait and notify,
/// where Python raises an error at run time if the lock is not held; and if a process is killed before it can act on a
/// notification, the next waiter gets it, at most a tenth of a second later, where Python's `notify` can wait forever.
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
    memory: Arc<Slot>,
    waiters: Table,
}

locking!(
    Condition,
    called: |_| CONTENT.to_owned(),
    ConditionGuard: |condition, locked| {
        let held = Some(locked?);
        Ok(ConditionGuard { condition, held })
    },
    memory: condition.memory
);

// The numbers change one by one, under the lock: a holder may be killed between any two stores.
/// The last ticket. Each wait takes the next one.
const LAST: usize = 0;
/// Waits with tickets up to this one are notified.
const NOTIFIED: usize = 1;
/// Waits with tickets up to this one were notified by `notify_all`.
const ALL: usize = 2;
/// The table of the waiters' processes, each with its ticket.
const WAITERS: usize = 3;

/// How many threads can wait before a condition needs more memory.
const FEW_WAITERS: usize = 6;

/// The maximum number of waiters.
const MAX_WAITERS: usize = 1024;

impl Condition {
    /// Creates a condition whose lock is free. At most 1024 threads, in all processes, can wait at a time.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no shared memory for it.
    pub fn new() -> Result<Condition> {
        let numbers = WAITERS + 2 * FEW_WAITERS;
        let layout = Layout {
            locks: 1,
            words: 2,
            access: Access::AtomicLocked,
        };
        let memory = create::<u64>(numbers, layout, || CONTENT.to_owned())?;
        Ok(Condition::of(memory))
    }

    fn of(memory: Arc<Slot>) -> Condition {
        let waiters = Table::of(&memory, WAITERS, MAX_WAITERS);
        Condition { memory, waiters }
    }

    fn get(&self, place: usize) -> u64 {
        self.memory.atomics::<AtomicU64>()[place].load(Ordering::SeqCst)
    }

    fn set(&self, place: usize, number: u64) {
        self.memory.atomics::<AtomicU64>()[place].store(number, Ordering::SeqCst);
    }

    fn eventcount(&self, place: usize) -> EventCount<'_> {
        EventCount::of(&self.memory, 2 * place % words::CONDITION_EVENTCOUNTS.end)
    }

    /// Notifies up to `count` living waiters, those that have waited longest.
    fn notify(&self, count: usize) {
        let (notified, last) = (self.get(NOTIFIED), self.get(LAST));
        if notified == last {
            return;
        }
        let ticket = |place: usize| self.waiters.number(place).load(Ordering::SeqCst);
        let mut waiting: Vec<_> = self.waiters.processes().collect();
        waiting.retain(|(place, _)| ticket(*place) > notified);
        waiting.sort_unstable_by_key(|(place, _)| ticket(*place));
        let mut places = Vec::new();
        for (place, process) in waiting {
            if places.len() == count {
                break;
            }
            if process.has_ended(self.memory.run()) {
                self.waiters.remove(place, process);
            } else {
                places.push(place);
            }
        }
        if places.len() < count {
            self.set(NOTIFIED, last);
        } else if let Some(&place) = places.last() {
            self.set(NOTIFIED, ticket(place));
        }
        let eventcounts = places.iter().map(|place| self.eventcount(*place));
        eventcounts.for_each(EventCount::notify_all);
    }

    fn notify_all(&self) {
        let last = self.get(LAST);
        self.set(NOTIFIED, last);
        // Last, so that a death between the two notifies one too many rather than one too few.
        self.set(ALL, last);
        for which in words::CONDITION_EVENTCOUNTS.step_by(2) {
            EventCount::of(&self.memory, which).notify_all();
        }
    }

    /// Removes the waiters of dead processes, and passes their notifications on to others.
    fn remove_dead(&self) {
        let dead = self.waiters.dead(|_| true);
        let for_one = self.get(ALL) + 1..=self.get(NOTIFIED);
        let tickets = dead
            .iter()
            .map(|(place, _)| self.waiters.number(*place).load(Ordering::SeqCst));
        // First, so that a death between the two notifies one too many rather than one too few.
        self.notify(tickets.filter(|ticket| for_one.contains(ticket)).count());
        for (place, process) in dead {
            self.waiters.remove(place, process);
        }
    }
}

/// The guard of a [`Condition`] whose lock is held; dropping it releases the lock.
#[must_use = "dropping the guard releases the lock at once"]
pub struct ConditionGuard<'a> {
    condition: &'a Condition,
    /// `None` while waiting.
    held: Option<SlotGuard<'a>>,
}

impl ConditionGuard<'_> {
    /// Releases the lock, waits for a notification, and takes the lock again. Python: `Condition.wait()`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if 1024 threads already wait, or the operating system refuses.
    pub fn wait(&mut self) -> Result<()> {
        self.wait_until(None).map(|_| ())
    }

    /// Waits as [`wait`](ConditionGuard::wait) does, but at most `limit`, and then until the lock is free again.
    ///
    /// Python: `Condition.wait(seconds)`, which returns False after a timeout.
    ///
    /// # Errors
    ///
    /// As [`wait`](ConditionGuard::wait), and [`Error::Timeout`] if no notification came within `limit`.
    pub fn wait_timeout(&mut self, limit: Duration) -> Result<()> {
        if self.wait_until(Instant::now().checked_add(limit))? {
            return Ok(());
        }
        Err(Error::timeout("a notification", limit))
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

    /// Waits as [`wait_for`](ConditionGuard::wait_for) does, but at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`wait`](ConditionGuard::wait), and [`Error::Timeout`] if `holds` did not return true within `limit`.
    pub fn wait_for_timeout(
        &mut self,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<()> {
        let deadline = Instant::now().checked_add(limit);
        while !holds() {
            if is_over(deadline) {
                return Err(Error::timeout("a condition to be true", limit));
            }
            self.wait_until(deadline)?;
        }
        Ok(())
    }

    /// Notifies the waiter that has waited longest, if there is one. Python: `Condition.notify()`.
    pub fn notify_one(&mut self) {
        self.notify(1);
    }

    /// Notifies up to `count` waiters, those that have waited longest. Python: `Condition.notify(count)`.
    pub fn notify(&mut self, count: usize) {
        if self.held.is_some() {
            self.condition.notify(count);
        }
    }

    /// Notifies all waiters. Python: `Condition.notify_all()`.
    pub fn notify_all(&mut self) {
        if self.held.is_some() {
            self.condition.notify_all();
        }
    }

    fn lock_again(&mut self) -> Result<()> {
        if self.held.is_none() {
            self.held = self.condition.lock()?.held;
        }
        Ok(())
    }

    /// Waits; returns whether it was notified.
    fn wait_until(&mut self, deadline: Option<Instant>) -> Result<bool> {
        self.lock_again()?;
        let condition = self.condition;
        let place = condition.waiters.free_place().or_else(|| {
            condition.remove_dead();
            let free = condition.waiters.free_place();
            free.or_else(|| {
                condition
                    .waiters
                    .extend()
                    .then(|| condition.waiters.free_place())?
            })
        });
        let Some(place) = place else {
            let reason = format!("{MAX_WAITERS} threads already wait");
            return Err(Error::memory(CONTENT, std::io::Error::other(reason)));
        };
        let (ticket, me) = (condition.get(LAST) + 1, UniquePid::own());
        condition.set(LAST, ticket);
        let number = condition.waiters.number(place);
        number.store(ticket, Ordering::SeqCst);
        condition.waiters.take(place);
        let mut check = next_check();
        loop {
            let eventcount = condition.eventcount(place);
            // Still under the lock, so that a thread that notifies later knows of this one.
            let seen = eventcount.prepare_wait();
            self.held = None;
            let until = deadline.map_or(check, |deadline| deadline.min(check));
            eventcount.wait_while(seen, until);
            let is_time_to_check = Instant::now() >= until;
            // Without the lock it no longer waits, and must not take another's notification.
            let locked = self.lock_again();
            locked.inspect_err(|_| condition.waiters.remove(place, me))?;
            if is_time_to_check {
                condition.remove_dead();
                check = next_check();
            }
            let notified = ticket <= condition.get(NOTIFIED);
            if notified || is_over(deadline) {
                condition.waiters.remove(place, me);
                return Ok(notified);
            }
        }
    }
}

const CONTENT: &str = "a Condition";

handle!(
    Condition,
    CONTENT,
    |condition| Ok((&condition.memory, ())),
    |memory, ()| Ok(Condition::of(memory)),
);

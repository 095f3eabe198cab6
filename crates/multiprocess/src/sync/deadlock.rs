//! Deadlocks: which process waits for which, and whether they form a cycle.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::error::Error;
use crate::errors::holder::Holder;

/// A process that waits for something that another process holds; [`Error::wait`] returns it.
///
/// To find a [`Deadlock`], each process sends its `LockWait` to one that compares them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockWait {
    /// The process that waits.
    pub waiter: Holder,
    /// What it waits for: a lock, or what the lock guards.
    pub what: String,
    /// The process that holds it.
    pub holder: Holder,
}

impl Error {
    /// Returns who waited for what, and who held it; `None` unless this is [`Error::LockTimeout`] with a known holder.
    /// Call it in the process that waited.
    #[must_use]
    pub fn wait(&self) -> Option<LockWait> {
        let Error::LockTimeout { what, holder, .. } = self else {
            return None;
        };
        Some(LockWait {
            waiter: Holder::of(std::process::id()),
            what: what.clone(),
            holder: holder.clone()?,
        })
    }
}

/// `process 'Ann' (pid 17) waits for the lock 'paper', held by process 'Bob' (pid 18)`.
impl fmt::Display for LockWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiter, what, holder) = (&self.waiter, &self.what, &self.holder);
        write!(f, "{waiter} waits for {what}, held by {holder}")
    }
}

/// A cycle of processes: each waits for what the next one holds, and the last one for what the first one holds. None of
/// them can continue.
///
/// That is certain only if each still holds what it held when the others waited, in the same thread: a lock knows the
/// process that holds it, but not the thread. So a process that waits for itself doesn't count as a deadlock: it may be
/// two threads that alternate.
///
/// Python has no equivalent: `acquire` with a timeout returns False, and doesn't name the holder.
///
/// # Examples
///
/// ```
/// use multiprocess::{Deadlock, Holder, LockWait};
///
/// let process = |name: &str, pid| Holder { pid, name: Some(name.to_owned()) };
/// let (ann, bob) = (process("Ann", 17), process("Bob", 18));
/// let (paper, pen) = ("the paper".to_owned(), "the pen".to_owned());
///
/// let first = LockWait { waiter: ann.clone(), what: paper, holder: bob.clone() };
/// let second = LockWait { waiter: bob, what: pen, holder: ann };
/// assert_eq!(
///     Deadlock::among(&[first, second]).expect("a cycle").to_string(),
///     "process 'Ann' (pid 17) holds the pen and waits for the paper\n\
///      process 'Bob' (pid 18) holds the paper and waits for the pen"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlock {
    waits: Vec<LockWait>,
}

impl Deadlock {
    /// Returns processes that wait for each other in a cycle; `None` if there are none.
    ///
    /// The cycle begins with the process whose wait comes first in `waits`. Of several cycles, it returns the first
    /// that it finds.
    #[must_use]
    pub fn among(waits: &[LockWait]) -> Option<Deadlock> {
        let mut left: Vec<&LockWait> = waits.iter().collect();
        left.retain(|wait| wait.waiter.pid != wait.holder.pid);
        // A process that waits for one that doesn't wait is in no cycle, nor is one that waits for such a process.
        let mut before = usize::MAX;
        while left.len() < before {
            before = left.len();
            let waiters: BTreeSet<u32> = left.iter().map(|wait| wait.waiter.pid).collect();
            left.retain(|wait| waiters.contains(&wait.holder.pid));
        }
        // Now every holder waits, so any path ends in a cycle.
        let mut path = vec![*left.first()?];
        let start = loop {
            let holder = path.last()?.holder.pid;
            if let Some(start) = path.iter().position(|wait| wait.waiter.pid == holder) {
                break start;
            }
            path.push(left.iter().find(|next| next.waiter.pid == holder)?);
        };
        let mut cycle = path.split_off(start);
        let place = |wait: &LockWait| waits.iter().position(|known| known == wait);
        let first = (0..cycle.len()).min_by_key(|&index| place(cycle[index]))?;
        cycle.rotate_left(first);
        let waits = cycle.into_iter().cloned().collect();
        Some(Deadlock { waits })
    }

    /// Returns the waits of the cycle: the holder of each is the waiter of the next, and that of the last one the
    /// first.
    #[must_use]
    pub fn waits(&self) -> &[LockWait] {
        &self.waits
    }
}

/// Prints a line for each process: what it holds, and what it waits for.
impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.waits.iter().cycle().skip(self.waits.len() - 1);
        for (index, (before, wait)) in before.zip(&self.waits).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let (waiter, held, what) = (&wait.waiter, &before.what, &wait.what);
            write!(f, "{waiter} holds {held} and waits for {what}")?;
        }
        Ok(())
    }
}

//! Deadlocks: which process waits for which, and whether they wait in a circle.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::error::Error;
use crate::errors::holder::Holder;

/// A process that waits for something which another process holds; see [`Error::wait`].
///
/// It can be sent: to find a [`Deadlock`], processes send theirs to one that compares them.
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
    /// Returns which process waited for what, and which held it, if this is [`Error::LockTimeout`] and there was a
    /// holder. Call it in the process that waited.
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

/// Processes of which each waits for what the next one holds, and the last one for what the first one holds. None of
/// them will ever go on.
///
/// That is certain if each still holds what it held when the others waited, and the same thread does: a lock knows the
/// process that holds it, not the thread. So a process that waits for itself is no deadlock: two threads take turns.
///
/// Python has nothing like it: `acquire` with a time limit returns False, and does not name the holder.
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
///     Deadlock::among(&[first, second]).expect("a circle").to_string(),
///     "process 'Ann' (pid 17) holds the pen and waits for the paper\n\
///      process 'Bob' (pid 18) holds the paper and waits for the pen"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlock {
    waits: Vec<LockWait>,
}

impl Deadlock {
    /// Finds processes that wait for each other in a circle; `None` if there are none.
    ///
    /// It begins with the process whose wait comes first in `waits`. Of several circles it is the first one found.
    #[must_use]
    pub fn among(waits: &[LockWait]) -> Option<Deadlock> {
        let mut left: Vec<&LockWait> = waits.iter().collect();
        left.retain(|wait| wait.waiter.pid != wait.holder.pid);
        // What waits for a process that itself waits for none is in no circle, nor what waits for that.
        let mut before = usize::MAX;
        while left.len() < before {
            before = left.len();
            let waiters: BTreeSet<u32> = left.iter().map(|wait| wait.waiter.pid).collect();
            left.retain(|wait| waiters.contains(&wait.holder.pid));
        }
        // Now every holder waits, so any path ends in a circle.
        let mut path = vec![*left.first()?];
        let start = loop {
            let holder = path.last()?.holder.pid;
            if let Some(start) = path.iter().position(|wait| wait.waiter.pid == holder) {
                break start;
            }
            path.push(left.iter().find(|next| next.waiter.pid == holder)?);
        };
        let mut circle = path.split_off(start);
        let place = |wait: &LockWait| waits.iter().position(|known| known == wait);
        let first = (0..circle.len()).min_by_key(|&index| place(circle[index]))?;
        circle.rotate_left(first);
        let waits = circle.into_iter().cloned().collect();
        Some(Deadlock { waits })
    }

    /// Returns the waits of the circle: the holder of each is the waiter of the next, and of the last one the first.
    #[must_use]
    pub fn waits(&self) -> &[LockWait] {
        &self.waits
    }
}

/// A line for each process: what it holds, and what it waits for.
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

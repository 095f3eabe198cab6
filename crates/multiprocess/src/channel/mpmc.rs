//! One direction for messages, from any number of producers to any number of consumers.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::Level;

use crate::channel::cursors::{DIRECTION, Rings};
use crate::channel::peers::{PeerToken, Peers, Side};
use crate::channel::ring;
use crate::memory::eventcount::{self, AdaptiveSpin, EventCount};
use crate::memory::freeing;
use crate::memory::layout::{Access, Content, words};
use crate::memory::slot::Slot;
use crate::memory::slot_lock::Turn;
use crate::platform::file_lock::Refused;
use crate::platform::wait_until::WaitUntil;
use crate::trace::events;
use crate::transfer::attachments::Attachments;
use crate::transfer::block::Message;

/// After that many sleeps, about a second, a waiting thread frees the memory of empty rings. Until then, the memory of
/// a large message is there for the next one.
const KEPT_WARM: u32 = 20;

/// Why a message was not put or not taken.
#[derive(Debug)]
pub(crate) enum Stop {
    /// There is no room or no message, or another thread has the turn, and the limit has passed.
    NotNow,
    /// It was closed, or the other side has left.
    Closed,
    /// The system refused.
    System(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::System(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Stop {
        match refused {
            Refused::Busy => Stop::NotNow,
            Refused::System(error) => Stop::System(error),
            // No user code runs while a turn is held.
            Refused::HeldByThisThread => Stop::System(io::ErrorKind::Deadlock.into()),
        }
    }
}

/// One direction of a queue, a channel or a pipe.
pub(crate) struct Mpmc {
    pub(crate) rings: Rings,
    pub(crate) spin: AdaptiveSpin,
    /// The other side, which takes what this process puts or puts what it takes; `None` for a queue, which has no
    /// sides.
    pub(crate) other: Option<Arc<Peers>>,
    /// How often a thread of this process slept since the last message.
    idle: AtomicU32,
}

/// Its name in events. The second direction of a pipe is in the same memory as the first.
impl fmt::Debug for Mpmc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rings.index {
            0 => self.rings.slot.fmt(f),
            _ => write!(f, "{:?} back", self.rings.slot),
        }
    }
}

/// A message that was put: how many were put before it (wraps around at 2³²), and the [moment](events::moment) before
/// it could be taken.
pub(crate) type Put = (u32, Option<u64>);

impl Mpmc {
    /// Creates the memory for that many directions.
    pub(crate) fn memory(directions: usize) -> io::Result<Arc<Slot>> {
        let content = Content {
            length: directions * DIRECTION * 8,
            access: Access::Channel,
        };
        let turns = if directions == 1 { 2 } else { 4 };
        Slot::create(turns, 1, content)
    }

    /// Creates the memory for that many directions, and joins both sides.
    pub(crate) fn sides(directions: usize) -> io::Result<(Arc<Slot>, PeerToken, PeerToken)> {
        let memory = Mpmc::memory(directions)?;
        let left = PeerToken::join(&memory, Side::Left)?;
        let right = PeerToken::join(&memory, Side::Right)?;
        Ok((memory, left, right))
    }

    pub(crate) fn new(memory: Arc<Slot>, index: usize, other: Option<Arc<Peers>>) -> Mpmc {
        freeing::discard_with(ring::discard);
        Mpmc {
            rings: Rings::new(memory, index),
            spin: AdaptiveSpin::new(),
            idle: AtomicU32::new(0),
            other,
        }
    }

    /// Notified when a message was put, and at the end.
    pub(crate) fn not_empty(&self) -> EventCount<'_> {
        EventCount::of(&self.rings.slot, words::NOT_EMPTY[self.rings.index])
    }

    /// Notified when a message was taken.
    fn not_full(&self) -> EventCount<'_> {
        EventCount::of(&self.rings.slot, words::NOT_FULL[self.rings.index])
    }

    /// Notified when all messages are done; only the first direction has it.
    fn all_done(&self) -> EventCount<'_> {
        EventCount::of(&self.rings.slot, words::DONE)
    }

    fn producers_turn(&self) -> usize {
        2 * self.rings.index
    }

    fn consumers_turn(&self) -> usize {
        2 * self.rings.index + 1
    }

    /// Takes a turn. The process that has it may be stopped, so the limit applies to this too.
    #[inline]
    fn turn(&self, which: usize, wait: WaitUntil) -> Result<Turn<'_>, Refused> {
        if matches!(wait, WaitUntil::Try)
            && let Ok(turn) = self.rings.slot.turn(which, wait)
        {
            return Ok(turn);
        }
        self.rings.slot.turn(which, wait.for_a_turn())
    }

    /// Puts a message, and returns its number. Fails if the other side has left. The references in the attachments pass
    /// to the message.
    pub(crate) fn put(
        &self,
        message: &[u8],
        attachments: &Attachments,
        wait: WaitUntil,
    ) -> Result<Put, Stop> {
        let has_room = |capacity| (self.rings.len() as usize) < capacity;
        let ready = || self.rings.is_closed() || self.rings.capacity().is_none_or(has_room);
        self.repeat(self.not_full(), wait, ready, |_| {
            if self.other.as_deref().is_some_and(Peers::has_left) {
                return Err(Stop::Closed);
            }
            let turn = self.turn(self.producers_turn(), wait)?;
            if self.rings.is_closed() {
                return Err(Stop::Closed);
            }
            if self.rings.is_full() {
                return Ok(None);
            }
            let put = (self.rings.put_count(), events::moment(Level::TRACE));
            self.rings.put(message, attachments)?;
            drop(turn);
            self.not_empty().notify_one();
            Ok(Some(put))
        })
    }

    /// Repeats `attempt`, with the number of attempts so far, until it has a result or the limit has passed; spins
    /// between attempts, and then sleeps until `ready`.
    #[inline]
    fn repeat<R>(
        &self,
        changed: EventCount<'_>,
        wait: WaitUntil,
        ready: impl Fn() -> bool,
        mut attempt: impl FnMut(u32) -> Result<Option<R>, Stop>,
    ) -> Result<R, Stop> {
        let mut attempts = 0;
        let mut slept = false;
        let stop = loop {
            match attempt(attempts) {
                Ok(Some(done)) => return Ok(done),
                Ok(None) if wait.is_over() => break Stop::NotNow,
                Ok(None) => {}
                Err(stop) => break stop,
            }
            if self.spin.spin(&ready) {
                continue;
            }
            if attempts > 0 {
                slept = true;
                eventcount::sleep(&[changed], wait.deadline(), &ready);
            }
            attempts += 1;
        };
        if slept && ready() {
            // Pass the wake-up on to a thread that can use it.
            changed.notify_one();
        }
        Err(stop)
    }

    /// Takes the next message, with the references of the handles in it, and returns its number. It is the end if the
    /// other side has left.
    pub(crate) fn take(
        &self,
        receive: &mut dyn FnMut(Message<'_>),
        attachments: &mut Attachments,
        wait: WaitUntil,
    ) -> Result<u32, Stop> {
        let ready = || self.has_message_or_end();
        self.repeat(self.not_empty(), wait, ready, |attempts| {
            // Checked first, since what was put before the end is taken before the end.
            let thoroughly = attempts > 0 || matches!(wait, WaitUntil::Try);
            let over = self.is_over(thoroughly);
            let turn = self.turn(self.consumers_turn(), wait)?;
            let item = self.rings.taken_count();
            if let Some(wasteful) = self.rings.take(receive, attachments)? {
                if wasteful {
                    self.return_to_first_ring();
                }
                self.idle.store(0, Ordering::Relaxed);
                drop(turn);
                if self.rings.capacity().is_some() {
                    self.not_full().notify_one();
                }
                return Ok(Some(item));
            }
            if over {
                return Err(Stop::Closed);
            }
            let slept = u32::from(attempts > 0);
            let idle = self.idle.fetch_add(slept, Ordering::Relaxed);
            if idle > KEPT_WARM && self.rings.is_wasteful() {
                self.return_to_first_ring();
            }
            Ok(None)
        })
    }

    /// Returns whether no more messages will be put. Checking whether the other side has left takes
    /// microseconds, so only threads that find no message do it `thoroughly`.
    pub(crate) fn is_over(&self, thoroughly: bool) -> bool {
        let has_left = if thoroughly && self.rings.is_empty() {
            Peers::has_left
        } else {
            Peers::is_known_to_have_left
        };
        self.rings.is_closed() || self.other.as_deref().is_some_and(has_left)
    }

    /// Returns whether taking wouldn't wait, as far as is known without a system call.
    pub(crate) fn has_message_or_end(&self) -> bool {
        !self.rings.is_empty() || self.is_over(false)
    }

    /// Frees the memory of the rings, which are empty; the caller has the consumers' turn. While another thread puts,
    /// they are not empty.
    fn return_to_first_ring(&self) {
        if let Ok(_turn) = self.rings.slot.turn(self.producers_turn(), WaitUntil::Try) {
            // If this fails, they stay as they are.
            let _ = self.rings.return_to_first_ring();
        }
    }

    /// Closes it: every later put fails.
    pub(crate) fn close(&self, wait: WaitUntil) -> Result<(), Stop> {
        let turn = self.turn(self.producers_turn(), wait)?;
        self.rings.close();
        drop(turn);
        self.not_empty().notify_all();
        self.not_full().notify_all();
        Ok(())
    }

    /// Counts a message as done; returns false if all are done.
    pub(crate) fn done(&self) -> bool {
        let counted = self.rings.slot.owned().is_own() && self.rings.done();
        if counted && self.rings.unfinished() == 0 {
            self.all_done().notify_all();
        }
        counted
    }

    /// Waits until all messages are done.
    pub(crate) fn wait_until_done(&self, wait: WaitUntil) -> Result<(), Stop> {
        let ready = || self.rings.unfinished() == 0;
        self.repeat(self.all_done(), wait, ready, |_| Ok(ready().then_some(())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Longer than anything here takes; a thread that missed its wake-up sleeps until then.
    const LIMIT: Duration = Duration::from_mins(1);
    const MOMENT: Duration = Duration::from_millis(20);

    fn within(limit: Duration) -> WaitUntil {
        WaitUntil::Until(Some(Instant::now() + limit))
    }

    #[test]
    fn a_woken_thread_that_gives_up_passes_the_wake_up_on() {
        let start = Instant::now();
        let mpmc = Mpmc::new(Mpmc::memory(1).unwrap(), 0, None);
        let take = |limit| mpmc.take(&mut |_| {}, &mut Attachments::default(), within(limit));
        std::thread::scope(|scope| {
            let gives_up = scope.spawn(|| take(10 * MOMENT));
            std::thread::sleep(MOMENT);
            let takes = scope.spawn(|| take(LIMIT));
            std::thread::sleep(MOMENT);
            // The first is woken, but doesn't get the turn in time.
            let turn = mpmc.turn(mpmc.consumers_turn(), within(LIMIT)).unwrap();
            mpmc.put(b"message", &Attachments::default(), within(LIMIT))
                .unwrap();
            let gave_up = gives_up.join().unwrap();
            drop(turn);
            assert!(matches!(gave_up, Err(Stop::NotNow)));
            assert!(takes.join().unwrap().is_ok());
            assert!(start.elapsed() < LIMIT / 2, "it missed its wake-up");
        });
    }
}

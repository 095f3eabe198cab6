//! A lane: one direction in which messages go, from any number of putters to any number of takers.

use std::fmt;
use std::io;
use std::sync::Arc;

use tracing::Level;

use crate::channel::cursors::LANE;
use crate::channel::peers::Peers;
use crate::channel::ring::{Rings, Wasteful};
use crate::memory::eventcount::{self, AdaptiveSpin, EventCount};
use crate::memory::layout::words;
use crate::memory::segment::{Access, Clear, Segment};
use crate::memory::timeout::WaitUntil;
use crate::memory::turn::Turn;
use crate::platform::file_lock::Refused;
use crate::trace::events;

/// Why a message was not put or not taken.
#[derive(Debug)]
pub(crate) enum Stop {
    /// There is no room for it, or none is there, or somebody else has the turn; and the time is over, if there was any.
    NotNow,
    /// It was closed, or nobody is left on the other side.
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
            // Nothing of the caller's runs while a turn is held.
            Refused::HeldByThisThread => Stop::System(io::ErrorKind::Deadlock.into()),
        }
    }
}

/// One direction of a talk.
pub(crate) struct Mpmc {
    pub(crate) segment: Arc<Segment>,
    index: usize,
    rings: Rings,
    spin: AdaptiveSpin,
}

/// How it is called in events. The second direction of a pipe lies in the same memory as the first.
impl fmt::Debug for Mpmc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            0 => self.segment.fmt(f),
            _ => write!(f, "{:?} back", self.segment),
        }
    }
}

/// A message that was put.
pub(crate) struct Put {
    /// How many were put before; it begins again at 2³².
    pub(crate) item: u32,
    /// The [moment](events::moment) before it could be taken.
    pub(crate) at: Option<u64>,
}

impl Mpmc {
    /// Makes the memory of so many lanes.
    pub(crate) fn segment(lanes: usize) -> io::Result<Arc<Segment>> {
        Segment::create(lanes * LANE * 8, Access::Atomic)
    }

    pub(crate) fn new(segment: Arc<Segment>, index: usize) -> Mpmc {
        Mpmc {
            rings: Rings::new(Arc::clone(&segment), index),
            segment,
            index,
            spin: AdaptiveSpin::new(),
        }
    }

    /// Has the last user of the memory do that with the lane.
    pub(crate) fn clear_with(&self, clear: Clear) {
        self.segment.clear_with(self.index, clear);
    }

    /// Which lane of its segment it is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn rings(&self) -> &Rings {
        &self.rings
    }

    /// Notified when something was put, and when nothing more will be.
    pub(crate) fn news(&self) -> EventCount<'_> {
        EventCount::of(&self.segment, words::MESSAGE[self.index])
    }

    /// Notified when something was taken.
    fn room(&self) -> EventCount<'_> {
        EventCount::of(&self.segment, words::ROOM[self.index])
    }

    /// Notified when everything is done with; only the first direction has it.
    fn all_done(&self) -> EventCount<'_> {
        EventCount::of(&self.segment, words::DONE)
    }

    fn putters_turn(&self) -> usize {
        2 * self.index
    }

    fn takers_turn(&self) -> usize {
        2 * self.index + 1
    }

    /// Takes a turn. Who has it may have been stopped, so nobody waits for it longer than for anything else.
    #[inline]
    fn turn(&self, which: usize, wait: WaitUntil) -> Result<Turn<'_>, Refused> {
        if matches!(wait, WaitUntil::Try)
            && let Ok(turn) = self.segment.try_turn(which)
        {
            return Ok(turn);
        }
        self.segment.turn(which, wait.for_a_turn())
    }

    /// Puts a message, and says which one it is. `takers` are those whose absence makes it pointless.
    #[inline]
    pub(crate) fn put(
        &self,
        message: &[u8],
        wait: WaitUntil,
        takers: Option<&Peers>,
    ) -> Result<Put, Stop> {
        let mut slept = false;
        let put = self.put_or_sleep(message, wait, takers, &mut slept);
        if slept && put.is_err() && self.has_room() {
            // The wake-up was for somebody who puts.
            self.room().notify_one();
        }
        put
    }

    fn put_or_sleep(
        &self,
        message: &[u8],
        wait: WaitUntil,
        takers: Option<&Peers>,
        slept: &mut bool,
    ) -> Result<Put, Stop> {
        loop {
            if takers.is_some_and(Peers::has_left) {
                return Err(Stop::Closed);
            }
            let turn = self.turn(self.putters_turn(), wait)?;
            if self.rings.is_closed() {
                return Err(Stop::Closed);
            }
            if !self.rings.is_full() {
                let put = Put {
                    item: self.rings.put_count(),
                    at: events::moment(Level::TRACE),
                };
                self.rings.put(message)?;
                drop(turn);
                self.news().notify_one();
                return Ok(put);
            }
            drop(turn);
            if wait.is_over() {
                return Err(Stop::NotNow);
            }
            let ready = || self.has_room() || self.rings.is_closed();
            if !self.spin.spin(ready) {
                *slept = true;
                eventcount::sleep(&[self.room()], wait.deadline(), ready);
            }
        }
    }

    fn has_room(&self) -> bool {
        let capacity = self.rings.capacity().unwrap_or(usize::MAX);
        (self.rings.len() as usize) < capacity
    }

    /// Takes the next message, and says which one it is. `putters` are those without whom there will be no more.
    #[inline]
    pub(crate) fn take(
        &self,
        message: &mut Vec<u8>,
        wait: WaitUntil,
        putters: Option<&Peers>,
    ) -> Result<u32, Stop> {
        let mut slept = false;
        let taken = self.take_or_sleep(message, wait, putters, &mut slept);
        if slept && taken.is_err() && !self.rings.is_empty() {
            // The wake-up was for somebody who takes.
            self.news().notify_one();
        }
        taken
    }

    fn take_or_sleep(
        &self,
        message: &mut Vec<u8>,
        wait: WaitUntil,
        putters: Option<&Peers>,
        slept: &mut bool,
    ) -> Result<u32, Stop> {
        let mut thoroughly = matches!(wait, WaitUntil::Try);
        loop {
            // Asked first: what was put before the end is taken before the end.
            let over = self.is_over(putters, thoroughly);
            let turn = self.turn(self.takers_turn(), wait)?;
            let item = self.rings.taken_count();
            if let Some(wasteful) = self.rings.take(message)? {
                if wasteful == Wasteful(true) {
                    self.go_home();
                }
                drop(turn);
                if self.rings.capacity().is_some() {
                    self.room().notify_one();
                }
                return Ok(item);
            }
            drop(turn);
            if over {
                return Err(Stop::Closed);
            }
            if wait.is_over() {
                return Err(Stop::NotNow);
            }
            let ready = || self.has_news(putters);
            if self.spin.spin(ready) {
                continue;
            }
            if thoroughly {
                *slept = true;
                eventcount::sleep(&[self.news()], wait.deadline(), ready);
                if !ready() {
                    self.tidy();
                }
            }
            thoroughly = true;
        }
    }

    /// Whether nothing more will be put. Asking the system whether somebody is left takes a microsecond, so it is
    /// done `thoroughly` only by those who find nothing to take.
    fn is_over(&self, putters: Option<&Peers>, thoroughly: bool) -> bool {
        if self.rings.is_closed() {
            return true;
        }
        putters.is_some_and(|putters| {
            if thoroughly && self.rings.is_empty() {
                putters.has_left()
            } else {
                putters.is_known_to_have_left()
            }
        })
    }

    /// Whether taking would not wait, as far as can be told without asking the system.
    pub(crate) fn has_news(&self, putters: Option<&Peers>) -> bool {
        !self.rings.is_empty()
            || self.rings.is_closed()
            || putters.is_some_and(Peers::is_known_to_have_left)
    }

    /// Whether taking would not wait.
    pub(crate) fn is_ready(&self, putters: Option<&Peers>) -> bool {
        !self.rings.is_empty() || self.is_over(putters, true)
    }

    pub(crate) fn spin(&self) -> &AdaptiveSpin {
        &self.spin
    }

    /// Gives back memory that an empty lane has.
    pub(crate) fn tidy(&self) {
        if self.rings.is_wasteful()
            && let Ok(_turn) = self.segment.try_turn(self.takers_turn())
        {
            self.go_home();
        }
    }

    /// Gives back the memory of the rings, which are empty; the caller has the takers' turn. Where somebody is
    /// putting at this moment, they are not empty.
    fn go_home(&self) {
        if let Ok(_turn) = self.segment.try_turn(self.putters_turn()) {
            // Where it fails they stay as they are.
            let _ = self.rings.go_home();
        }
    }

    /// Lets nobody put any more.
    pub(crate) fn close(&self) -> Result<(), Stop> {
        let turn = self.segment.turn(self.putters_turn(), None)?;
        self.rings.close();
        drop(turn);
        self.news().notify_all();
        self.room().notify_all();
        Ok(())
    }

    /// Counts a message as done with; false if all are.
    pub(crate) fn done(&self) -> bool {
        let counted = self.rings.done();
        if counted && self.rings.unfinished() == 0 {
            self.all_done().notify_all();
        }
        counted
    }

    /// Waits until all messages are done with.
    pub(crate) fn wait_until_done(&self, wait: WaitUntil) -> Result<(), Stop> {
        let ready = || self.rings.unfinished() == 0;
        while !self.spin.spin(ready) {
            if wait.is_over() {
                return Err(Stop::NotNow);
            }
            eventcount::sleep(&[self.all_done()], wait.deadline(), ready);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Longer than anything here takes; who was forgotten sleeps until then.
    const LIMIT: Duration = Duration::from_mins(1);
    const MOMENT: Duration = Duration::from_millis(20);

    fn within(limit: Duration) -> WaitUntil {
        WaitUntil::Until(Some(Instant::now() + limit))
    }

    fn lane() -> Mpmc {
        Mpmc::new(Mpmc::segment(1).unwrap(), 0)
    }

    #[test]
    fn who_was_woken_and_gives_up_passes_the_wake_up_on() {
        let start = Instant::now();
        let lane = lane();
        let take = |limit| lane.take(&mut Vec::new(), within(limit), None);
        std::thread::scope(|scope| {
            let gives_up = scope.spawn(|| take(10 * MOMENT));
            std::thread::sleep(MOMENT);
            let takes = scope.spawn(|| take(LIMIT));
            std::thread::sleep(MOMENT);
            // The first is woken, and does not get the turn in time.
            let turn = lane.segment.turn(lane.takers_turn(), None).unwrap();
            lane.put(b"message", within(LIMIT), None).unwrap();
            let gave_up = gives_up.join().unwrap();
            drop(turn);
            assert!(matches!(gave_up, Err(Stop::NotNow)));
            assert!(takes.join().unwrap().is_ok());
            assert!(start.elapsed() < LIMIT / 2, "it was forgotten");
        });
    }
}

//! The two ends of a channel, and whether an end still has a live owner.
//!
//! Each handle of an end has a reference to the channel's slot that names the side, and so has each message that
//! contains one. A side without such a reference has left.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::liveness;
use crate::memory::owner::Owner;
use crate::memory::reference::Reference;
use crate::memory::slot::Slot;
use crate::platform::limits::explained;
use crate::platform::process;
use crate::transfer::attachments;

/// One of the two sides of a channel or a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Side {
    /// The senders, or the first end of a pipe.
    Left,
    /// The receivers, or the second end of a pipe.
    Right,
}

impl Side {
    pub(crate) fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// One side of the channel in a slot.
struct SideOf(Arc<Slot>, Side);

impl SideOf {
    fn left(&self) -> &AtomicU32 {
        &self.0.words()[words::SIDE_LEFT[self.1.index()]]
    }

    /// Returns whether a process has found out that this side has left.
    fn is_known_to_have_left(&self) -> bool {
        self.left().load(Ordering::Acquire) != 0
    }

    /// Returns whether this side has no owner that `counts`. No owner can come back.
    fn note_if_left(&self, counts: impl Fn(Owner) -> bool) -> bool {
        let side = Some(self.1.index());
        let is_owner = |owner: Owner| owner.side() == side && counts(owner);
        let left = matches!(self.0.has_owner(is_owner), Ok(false));
        if left {
            self.left().store(1, Ordering::Release);
            for place in words::CHANNEL_EVENTCOUNTS.step_by(2) {
                EventCount::of(&self.0, place).notify_all();
            }
        }
        left
    }
}

/// A handle of a side: until it leaves, or its process ends, the side hasn't left.
pub(crate) struct PeerToken {
    of: SideOf,
    reference: Reference,
}

impl PeerToken {
    pub(crate) fn join(slot: &Arc<Slot>, side: Side) -> io::Result<PeerToken> {
        let reference = slot.reference(Some(side.index()))?;
        let of = SideOf(Arc::clone(slot), side);
        Ok(PeerToken { of, reference })
    }

    pub(crate) fn side(&self) -> Side {
        self.of.1
    }

    /// Attaches a reference for this side to the message that is being packed.
    pub(crate) fn depart(&self) -> Result<(), String> {
        let reference = self.of.0.reference(Some(self.of.1.index()));
        attachments::add(Arc::new(reference.map_err(|error| explained(&error))?));
        Ok(())
    }

    /// Leaves the side; returns whether it has no owner any more.
    pub(crate) fn leave(self) -> bool {
        let PeerToken { of, reference } = self;
        // A copy made by `fork` has none.
        let is_forked = of.0.is_forked();
        drop(reference);
        !is_forked && of.note_if_left(|_| true)
    }
}

/// Joins a side for a handle that has arrived.
pub(crate) fn arrive(slot: &Arc<Slot>, side: Side) -> Result<PeerToken, String> {
    let token = PeerToken::join(slot, side).map_err(|error| explained(&error))?;
    if token.of.is_known_to_have_left() {
        return Err(
            "the process that sent it died before it arrived, and it was the last of its side"
                .to_owned(),
        );
    }
    Ok(token)
}

/// A side, as seen from the other one.
pub(crate) struct Peers {
    of: SideOf,
    /// When this process last checked whether the owners are alive, in nanoseconds, and how many of its children had
    /// ended then.
    checked: AtomicU64,
    ended_children: AtomicU32,
}

/// The minimum time between two checks, in nanoseconds, unless a child has ended meanwhile: a check takes microseconds.
const PAUSE: u64 = 20_000_000;

impl Peers {
    pub(crate) fn new(slot: &Arc<Slot>, side: Side) -> Peers {
        Peers {
            of: SideOf(Arc::clone(slot), side),
            checked: AtomicU64::new(0),
            ended_children: AtomicU32::new(0),
        }
    }

    /// Returns whether a process has found out that this side has left.
    pub(crate) fn is_known_to_have_left(&self) -> bool {
        self.of.is_known_to_have_left()
    }

    /// Returns whether this side has no live owner.
    pub(crate) fn has_left(&self) -> bool {
        if self.is_known_to_have_left() {
            return true;
        }
        let (now, ended) = (process::now(), liveness::ended_children());
        if now.saturating_sub(self.checked.load(Ordering::Relaxed)) < PAUSE
            && self.ended_children.load(Ordering::Relaxed) == ended
        {
            return false;
        }
        self.checked.store(now, Ordering::Relaxed);
        self.ended_children.store(ended, Ordering::Relaxed);
        self.check()
    }

    /// Checks whether the owners are alive.
    #[cold]
    fn check(&self) -> bool {
        let run = self.of.0.run();
        self.of.note_if_left(|owner| !owner.has_ended(run))
    }
}

//! The two ends of a channel, and whether an end still has a live owner.
//!
//! A process that holds a handle of a side has a file of that side locked, shared. The system drops the lock when the
//! process ends, however it ends. So a process that gets the file's lock exclusively knows that the side has no owner,
//! except for handles in flight, in a message or in arguments. Shared memory counts those.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::memory::eventcount::EventCount;
use crate::memory::layout::words;
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::memory::segment::Segment;
use crate::platform::limits::explained;
use crate::platform::process;
use crate::transfer::attachments::{self, Attachment};

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

/// One side of the channel in a segment.
#[derive(Clone)]
struct SideOf(Arc<Segment>, Side);

impl SideOf {
    fn file(&self) -> io::Result<PathBuf> {
        self.0.companion(["left", "right"][self.1.index()])
    }

    /// Returns the number of this side's handles in flight.
    fn in_flight(&self) -> &AtomicU32 {
        &self.0.words()[words::SIDE_IN_FLIGHT[self.1.index()]]
    }

    fn left(&self) -> &AtomicU32 {
        &self.0.words()[words::SIDE_LEFT[self.1.index()]]
    }

    /// Returns whether a process has found out that this side has left.
    fn is_known_to_have_left(&self) -> bool {
        self.left().load(Ordering::Acquire) != 0
    }

    /// The caller holds the exclusive lock of the file, so no handle arrives meanwhile.
    fn note_if_left(&self) -> bool {
        let left = self.in_flight().load(Ordering::Acquire) == 0;
        if left {
            self.left().store(1, Ordering::Release);
            for place in words::CHANNEL_EVENTCOUNTS.step_by(2) {
                EventCount::of(&self.0, place).notify_all();
            }
        }
        left
    }
}

/// A handle of the side in flight.
impl Attachment for SideOf {
    fn cancel(&self) {
        if !self.0.is_forked() {
            let less = |count: u32| count.checked_sub(1);
            let in_flight = self.in_flight();
            let _ = in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        }
    }
}

/// Shows that this process has a handle of a side: until it leaves, or the process ends, the side hasn't left.
pub(crate) struct PeerToken {
    of: SideOf,
    file: File,
}

impl PeerToken {
    /// Joins a side; the first process creates its file.
    pub(crate) fn join(segment: &Arc<Segment>, side: Side) -> io::Result<PeerToken> {
        let _making = registry::making()?;
        let of = SideOf(Arc::clone(segment), side);
        let file = run_file::hold(&of.file()?, Existence::Either)?;
        Ok(PeerToken { of, file })
    }

    pub(crate) fn side(&self) -> Side {
        self.of.1
    }

    /// Returns whether this side is known to have left.
    pub(crate) fn has_left(&self) -> bool {
        self.of.is_known_to_have_left()
    }

    /// Counts a handle of this side as in flight.
    pub(crate) fn depart(&self) -> Result<(), String> {
        let checked = self.of.0.check_process();
        checked.map_err(|error| error.to_string())?;
        self.of.in_flight().fetch_add(1, Ordering::AcqRel);
        attachments::add(Arc::new(self.of.clone()));
        Ok(())
    }

    /// Leaves the side.
    pub(crate) fn leave(&self) {
        // A copy made by `fork` shares the open file, and so its lock.
        if self.of.0.is_forked() {
            return;
        }
        if run_file::is_alone(&self.file) {
            self.of.note_if_left();
        }
        let _ = self.file.unlock();
    }
}

/// Joins a side for a handle that has arrived, and counts it as arrived.
pub(crate) fn arrive(segment: &Arc<Segment>, side: Side) -> Result<PeerToken, String> {
    let token = PeerToken::join(segment, side);
    attachments::arrive(Arc::new(SideOf(Arc::clone(segment), side)));
    token.map_err(|error| explained(&error))
}

/// A side, as seen from the other one.
pub(crate) struct Peers {
    of: SideOf,
    file: OnceLock<File>,
    /// When the system was last queried, in nanoseconds.
    asked: AtomicU64,
}

/// The minimum time between two queries of the system, in nanoseconds. A process takes longer to end.
const PAUSE: u64 = 50_000;

impl Peers {
    pub(crate) fn new(segment: &Arc<Segment>, side: Side) -> Peers {
        Peers {
            of: SideOf(Arc::clone(segment), side),
            file: OnceLock::new(),
            asked: AtomicU64::new(0),
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
        let now = process::now();
        if now.saturating_sub(self.asked.load(Ordering::Relaxed)) < PAUSE {
            return false;
        }
        self.asked.store(now, Ordering::Relaxed);
        self.ask() == Some(true)
    }

    /// Queries the system. Two processes that do so at the same moment may both find that the side has an owner.
    #[cold]
    fn ask(&self) -> Option<bool> {
        if self.file.get().is_none() {
            let file = run_file::open(&self.of.file().ok()?, Existence::Old).ok()?;
            let _ = self.file.set(file);
        }
        let file = self.file.get()?;
        file.try_lock().ok()?;
        let left = self.of.note_if_left();
        let _ = file.unlock();
        Some(left)
    }
}

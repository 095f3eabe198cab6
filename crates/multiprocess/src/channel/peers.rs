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
use std::time::Instant;

use crate::memory::eventcount;
use crate::memory::layout::words;
use crate::memory::registry;
use crate::memory::run_file::{self, Existence};
use crate::memory::segment::Segment;
use crate::platform::limits::explained;
use crate::transfer::attachments::{self, Attachment};

/// One of the two sides of a channel or a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Side {
    /// Senders; and of a pipe the first end.
    Left,
    /// Receivers; and of a pipe the second end.
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

    fn file(self, segment: &Segment) -> io::Result<PathBuf> {
        segment.companion(["left", "right"][self.index()])
    }

    /// Returns the number of this side's handles in flight.
    fn in_flight(self, segment: &Segment) -> &AtomicU32 {
        &segment.words()[words::SIDE_IN_FLIGHT[self.index()]]
    }

    /// Returns whether the side is known to have left.
    fn left(self, segment: &Segment) -> &AtomicU32 {
        &segment.words()[words::SIDE_LEFT[self.index()]]
    }

    pub(crate) fn is_known_to_have_left(self, segment: &Segment) -> bool {
        self.left(segment).load(Ordering::Acquire) != 0
    }

    /// The caller has the file locked exclusively, so no handle arrives meanwhile.
    fn note_if_left(self, segment: &Segment) -> bool {
        let left = self.in_flight(segment).load(Ordering::Acquire) == 0;
        if left {
            self.left(segment).store(1, Ordering::Release);
            eventcount::notify_all_of(segment);
        }
        left
    }
}

/// A share of this process in one side: while it lives, the side has not left.
pub(crate) struct PeerToken {
    segment: Arc<Segment>,
    side: Side,
    file: File,
}

impl PeerToken {
    /// Takes a share in a side; the first process makes its file.
    pub(crate) fn join(segment: &Arc<Segment>, side: Side) -> io::Result<PeerToken> {
        let _making = registry::making()?;
        Ok(PeerToken {
            file: run_file::hold(&side.file(segment)?, Existence::Either)?,
            segment: Arc::clone(segment),
            side,
        })
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }

    /// Counts a handle of this side as in flight.
    pub(crate) fn depart(&self) -> Result<(), String> {
        let checked = self.segment.check_process();
        checked.map_err(|error| error.to_string())?;
        self.side
            .in_flight(&self.segment)
            .fetch_add(1, Ordering::AcqRel);
        attachments::add(Arc::new(Departed {
            segment: Arc::clone(&self.segment),
            side: self.side,
        }));
        Ok(())
    }
}

impl Drop for PeerToken {
    fn drop(&mut self) {
        // A copy made by `fork` shares the open file, and with it the lock.
        if self.segment.is_forked() {
            return;
        }
        if run_file::is_alone(&self.file) {
            self.side.note_if_left(&self.segment);
        }
        let _ = self.file.unlock();
    }
}

/// Takes a share in a side for a handle that has arrived, and counts it as arrived.
pub(crate) fn arrive(segment: &Arc<Segment>, side: Side) -> Result<PeerToken, String> {
    let token = PeerToken::join(segment, side);
    attachments::arrive(Arc::new(Departed {
        segment: Arc::clone(segment),
        side,
    }));
    token.map_err(|error| explained(&error))
}

/// A handle in flight.
struct Departed {
    segment: Arc<Segment>,
    side: Side,
}

impl Attachment for Departed {
    fn cancel(&self) {
        if self.segment.is_forked() {
            return;
        }
        let in_flight = self.side.in_flight(&self.segment);
        let _ = in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            count.checked_sub(1)
        });
    }
}

/// A side as the other one sees it.
pub(crate) struct Peers {
    segment: Arc<Segment>,
    side: Side,
    file: OnceLock<File>,
    began: Instant,
    /// When the system was last asked, in nanoseconds since `began`.
    asked: AtomicU64,
}

/// The system is asked at most that often, in nanoseconds. A process cannot end in less.
const PAUSE: u64 = 50_000;

impl Peers {
    pub(crate) fn new(segment: &Arc<Segment>, side: Side) -> Peers {
        Peers {
            segment: Arc::clone(segment),
            side,
            file: OnceLock::new(),
            began: Instant::now(),
            asked: AtomicU64::new(0),
        }
    }

    /// Returns whether a process has found out that this side has left.
    pub(crate) fn is_known_to_have_left(&self) -> bool {
        self.side.is_known_to_have_left(&self.segment)
    }

    /// Returns whether this side has no live owner.
    pub(crate) fn has_left(&self) -> bool {
        if self.is_known_to_have_left() {
            return true;
        }
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let asked = self.asked.load(Ordering::Relaxed);
        if asked != 0 && now.saturating_sub(asked) < PAUSE {
            return false;
        }
        self.asked.store(now, Ordering::Relaxed);
        self.ask()
    }

    /// Asks the system. Of two that ask at the same moment, both may hear that the side has an owner.
    #[cold]
    fn ask(&self) -> bool {
        let Some(file) = self.file() else {
            return false;
        };
        if file.try_lock().is_err() {
            return false;
        }
        let left = self.side.note_if_left(&self.segment);
        let _ = file.unlock();
        left
    }

    fn file(&self) -> Option<&File> {
        if self.file.get().is_none() {
            let path = self.side.file(&self.segment).ok()?;
            let file = run_file::open(&path, Existence::Old).ok()?;
            let _ = self.file.set(file);
        }
        self.file.get()
    }
}

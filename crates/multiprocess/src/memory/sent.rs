//! References of messages, as the messages contain them.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytemuck::{Pod, Zeroable};

use crate::memory::chunk::Chunk;
use crate::memory::freeing::collect;
use crate::memory::layout::Pointer;
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::owner::Owner;
use crate::memory::place::{Place, Target};

/// A reference of a message, as the message contains it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub(crate) struct Sent {
    run: u64,
    target: u64,
    /// Where the place is, and its index there.
    place: u64,
    generation: u32,
    index: u32,
    /// The pid in the run's name.
    run_pid: u32,
    unused: u32,
}

impl Sent {
    /// Numbers of 64 bits in it.
    pub(crate) const NUMBERS: usize = size_of::<Sent>() / size_of::<u64>();

    pub(super) fn of(target: &Target, at: &Place) -> Sent {
        let place = Pointer {
            chunk: at.chunk.number,
            unit: at.unit,
        };
        let index = u32::try_from(at.index).expect("a part is small");
        let (run_pid, run) = target.run().parts();
        Sent {
            run,
            run_pid,
            unused: 0,
            target: target.pointer().number(),
            generation: target.generation,
            place: place.number(),
            index: index << 1 | u32::from(at.is_in_part),
        }
    }

    pub(super) fn run(self) -> Run {
        Run::of_parts(self.run_pid, self.run)
    }

    pub(super) fn find(self) -> io::Result<(Target, Place)> {
        let run = self.run();
        let (target, place) = Pointer::of(self.target)
            .zip(Pointer::of(self.place))
            .ok_or(ErrorKind::InvalidData)?;
        let target = Target {
            chunk: Chunk::find(run, target)?,
            unit: target.unit,
            generation: self.generation,
        };
        let place = Place {
            chunk: Chunk::find(run, place)?,
            unit: place.unit,
            is_in_part: self.index & 1 == 1,
            index: self.index as usize >> 1,
        };
        Ok((target, place))
    }

    /// Releases the reference of a message that no process will receive.
    pub(super) fn release(self, from: Owner) {
        match self.find() {
            Ok((target, place)) => {
                if let Some(place) = place.get()
                    && let Some(now) = Owner::at(place)
                    && now.with_side(None) == from
                    && now.release(place)
                {
                    collect(&target.chunk, target.unit);
                }
            }
            Err(error) => self.release_later(from, &error),
        }
    }

    /// Releases the reference as soon as it can be found, unless it is gone.
    pub(super) fn release_later(self, from: Owner, error: &io::Error) {
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) {
            unreleased().push((UniquePid::current(), self, from));
            IS_LEFT.store(true, Ordering::Relaxed);
        }
    }
}

impl Owner {
    /// Releases the references of this message, which no process will receive.
    pub(crate) fn release_all(self, sent: &[Sent]) {
        for sent in sent {
            sent.release(self);
        }
    }
}

/// References of messages that this process could not release yet, for example with too few descriptors.
static UNRELEASED: Mutex<Vec<(UniquePid, Sent, Owner)>> = Mutex::new(Vec::new());

/// Whether there are some.
static IS_LEFT: AtomicBool = AtomicBool::new(false);

fn unreleased() -> MutexGuard<'static, Vec<(UniquePid, Sent, Owner)>> {
    UNRELEASED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Releases references that could not be released before; returns whether some are left.
pub(super) fn release_again() -> bool {
    if IS_LEFT.swap(false, Ordering::Relaxed) {
        let again = std::mem::take(&mut *unreleased());
        // A copy made by `fork` releases none of its original's.
        let own = |(process, _, _): &(UniquePid, Sent, Owner)| *process == UniquePid::current();
        for (_, sent, from) in again.into_iter().filter(own) {
            sent.release(from);
        }
    }
    IS_LEFT.load(Ordering::Relaxed)
}

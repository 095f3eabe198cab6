//! Places for the owners of a slot: in the slot itself, and in its parts.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::memory::allocator;
use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Content, Pointer};
use crate::memory::name::Run;
use crate::memory::owner::{self, Owner, Phase, State, inline};

/// A place for an owner of a slot: in the slot itself, or in one of its parts.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) chunk: Arc<Chunk>,
    pub(super) unit: u32,
    pub(super) is_in_part: bool,
    pub(super) index: usize,
}

impl Place {
    pub(super) fn get(&self) -> Option<&AtomicU64> {
        if self.is_in_part {
            self.chunk.owners(self.unit).get(self.index)
        } else {
            inline(&self.chunk, self.unit).get(self.index)
        }
    }
}

/// A slot of a run.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) chunk: Arc<Chunk>,
    pub(super) unit: u32,
    pub(super) generation: u32,
}

impl Target {
    pub(super) fn pointer(&self) -> Pointer {
        Pointer {
            chunk: self.chunk.number,
            unit: self.unit,
        }
    }

    pub(super) fn run(&self) -> Run {
        self.chunk.run
    }

    /// Returns an error if the slot isn't in the use that this is about.
    pub(super) fn check(&self, state: State) -> io::Result<()> {
        if state.phase() == Phase::Live && state.generation() == self.generation {
            return Ok(());
        }
        let reason = "it was freed before it arrived";
        Err(io::Error::new(ErrorKind::NotFound, reason))
    }
}

/// The number of places in the first part with places for owners, and in the longest; each has twice as many as the
/// one before.
const FIRST_PLACES: usize = 56;
const MOST_PLACES: usize = 1024;

/// Takes a place for an owner; makes more of them if all are taken. The caller keeps this process from
/// [leaving](crate::memory::registry::making) the run.
pub(super) fn take_place(target: &Target, owner: Owner) -> io::Result<Place> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut places = FIRST_PLACES;
    loop {
        let taken = owner::each(&target.chunk, target.unit, |chunk, unit, at| {
            let is_in_part = !std::ptr::eq(at, inline(&target.chunk, target.unit).as_slice());
            // Not from the first place each time, which is taken if many are.
            let first = if is_in_part {
                NEXT.fetch_add(1, Ordering::Relaxed)
            } else {
                0
            };
            if is_in_part {
                places = (2 * at.len()).min(MOST_PLACES);
            }
            let mut indices = (0..at.len()).map(|index| (first + index) % at.len());
            let index = indices.find(|index| owner.take(&at[*index]))?;
            Some(Place {
                chunk: Arc::clone(chunk),
                unit,
                is_in_part,
                index,
            })
        })?;
        if let Some(place) = taken {
            return Ok(place);
        }
        let length = places * size_of::<u64>();
        let access = Access::Owners;
        add_part(target, Content { length, access })?;
    }
}

/// Makes a slot that belongs to another one, and is freed with it. The caller keeps this process from
/// [leaving](crate::memory::registry::making) its run.
pub(super) fn add_part(target: &Target, content: Content) -> io::Result<()> {
    let owner = Owner::part(target.pointer(), target.generation);
    let part = allocator::make(target.run(), 0, 0, content, owner)?;
    let pointer = Pointer {
        chunk: part.chunk.number,
        unit: part.unit,
    };
    let parts = &target.chunk.slot(target.unit).parts;
    let mut next = parts.load(Ordering::Acquire);
    loop {
        let own = &part.chunk.slot(part.unit).parts;
        own.store(next, Ordering::Release);
        let order = Ordering::AcqRel;
        match parts.compare_exchange(next, pointer.number(), order, Ordering::Acquire) {
            Ok(_) => return Ok(()),
            Err(now) => next = now,
        }
    }
}

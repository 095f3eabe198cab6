//! References to slots: taking one, passing it on, and releasing it. The slot is freed with its last one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::memory::allocator::{self, Made};
use crate::memory::freeing::collect;
use crate::memory::layout::Content;
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::owner::{Owner, State};
use crate::memory::place::{Place, Target, take_place};
use crate::memory::registry;
use crate::memory::sent::{Sent, release_again};

/// A reference to a slot, which has one owner. When it is dropped, it is released, unless it was passed on.
#[derive(Debug)]
pub(crate) struct Reference {
    target: Target,
    place: Place,
    owner: Owner,
    /// A copy of the process made by `fork` has no references.
    process: UniquePid,
    /// Whether it was passed on: then the place may be this process's again, for another reference.
    passed: AtomicBool,
}

impl Reference {
    /// Makes a slot; the reference is this process's. The caller keeps this process from [leaving](registry::making) the
    /// run.
    pub(super) fn make(run: Run, locks: u8, words: u8, content: Content) -> io::Result<Reference> {
        // Each operation begins with this, which asks for the current process; after it, `own` is enough.
        registry::join(run)?;
        let owner = Owner::process(UniquePid::own());
        let made = allocator::make(run, locks, words, content, owner)?;
        let place = Place {
            chunk: Arc::clone(&made.chunk),
            unit: made.unit,
            is_in_part: false,
            index: made.place,
        };
        Ok(Reference::new(target(made), place, owner))
    }

    /// Takes one more reference to a slot, for this process; the caller knows of a reference that exists meanwhile.
    pub(super) fn take(target: &Target, side: Option<usize>) -> io::Result<Reference> {
        let _making = registry::making()?;
        registry::join(target.run())?;
        let owner = Owner::process(UniquePid::own()).with_side(side);
        let state = &target.chunk.slot(target.unit).state;
        target.check(State::of(state))?;
        let place = take_place(target, owner)?;
        // Only now: a thread that has seen the place before it was taken, and sees this, looks again.
        let now = State::count(state);
        // If the slot was freed meanwhile, the place is free again when this is dropped.
        let reference = Reference::new(target.clone(), place, owner);
        target.check(now).map(|()| reference)
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn run(&self) -> Run {
        self.target.run()
    }

    /// Passes the reference on to another owner, for the same side.
    pub(crate) fn pass_to(&self, owner: Owner) {
        if let Some(place) = self.place.get() {
            self.passed.store(true, Ordering::Relaxed);
            self.owner.pass(place, owner.with_side(self.owner.side()));
        }
    }

    /// Releases the reference, which was passed on to an owner that no longer needs it.
    pub(crate) fn release_from(&self, owner: Owner) {
        self.sent().release(owner);
    }

    /// Returns what a message contains of the reference.
    pub(crate) fn sent(&self) -> Sent {
        Sent::of(&self.target, &self.place)
    }

    /// Takes over the reference of a message from one of those that may own it; `None` if none of them has it any more,
    /// since a process that had taken the message over died, or if it can't be found now.
    pub(crate) fn received(sent: Sent, from: &[Owner]) -> Option<Reference> {
        let found = registry::making().and_then(|_making| {
            registry::join(sent.run())?;
            sent.find()
        });
        let (target, place) = found
            .map_err(|error| sent.release_later(from[0], &error))
            .ok()?;
        let at = place.get()?;
        let now = Owner::at(at).filter(|now| from.contains(&now.with_side(None)))?;
        let owner = Owner::process(UniquePid::own()).with_side(now.side());
        now.pass(at, owner)
            .then(|| Reference::new(target, place, owner))
    }

    fn new(target: Target, place: Place, owner: Owner) -> Reference {
        HELD.fetch_add(1, Ordering::Relaxed);
        Reference {
            target,
            place,
            owner,
            process: UniquePid::own(),
            passed: AtomicBool::new(false),
        }
    }
}

/// How many references this process has, or had and passed on.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Makes no more slots, at the end of this process; returns whether it has no reference.
pub(crate) fn end() -> bool {
    allocator::abandon();
    !release_again() && HELD.load(Ordering::SeqCst) == 0
}

impl Drop for Reference {
    fn drop(&mut self) {
        if !*self.passed.get_mut()
            && self.process == UniquePid::current()
            && self
                .place
                .get()
                .is_some_and(|place| self.owner.release(place))
        {
            collect(&self.target.chunk, self.target.unit);
        }
        // Only now: at the end of this process, nothing may be half freed.
        HELD.fetch_sub(1, Ordering::SeqCst);
        release_again();
    }
}

fn target(made: Made) -> Target {
    Target {
        chunk: made.chunk,
        unit: made.unit,
        generation: made.generation,
    }
}

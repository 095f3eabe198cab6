//! References to slots: taking one, passing it on, and releasing it. The slot is freed with its last one.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytemuck::{Pod, Zeroable};

use crate::memory::allocator::{self, Made};
use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Content, Pointer};
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::owner::{self, Owner, Phase, State, inline};
use crate::memory::registry;

/// A place for an owner of a slot: in the slot itself, or in one of its parts.
#[derive(Debug)]
struct Place {
    chunk: Arc<Chunk>,
    unit: u32,
    is_in_part: bool,
    index: usize,
}

impl Place {
    fn get(&self) -> Option<&AtomicU64> {
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
    fn check(&self, state: State) -> io::Result<()> {
        if state.phase() == Phase::Live && state.generation() == self.generation {
            return Ok(());
        }
        let reason = "it was freed before it arrived";
        Err(io::Error::new(ErrorKind::NotFound, reason))
    }
}

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
}

impl Reference {
    /// Makes a slot; the reference is this process's. The caller keeps this process from [leaving](registry::making) the
    /// run.
    pub(super) fn make(run: Run, locks: u8, words: u8, content: Content) -> io::Result<Reference> {
        let owner = Owner::process(UniquePid::current());
        registry::join(run)?;
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
        let owner = Owner::process(UniquePid::current()).with_side(side);
        let state = &target.chunk.slot(target.unit).state;
        target.check(State::of(state))?;
        let place = take_place(target, owner)?;
        // Only now: whoever has seen the place before it was taken, and sees this, looks again.
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
        let Place {
            chunk,
            unit,
            is_in_part,
            index,
        } = &self.place;
        let place = Pointer {
            chunk: chunk.number,
            unit: *unit,
        };
        let (run_pid, run) = self.target.run().parts();
        Sent {
            run,
            run_pid,
            unused: 0,
            target: self.target.pointer().number(),
            generation: self.target.generation,
            place: place.number(),
            index: u32::try_from(*index).expect("a part is small") << 1 | u32::from(*is_in_part),
        }
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
        let owner = Owner::process(UniquePid::current()).with_side(now.side());
        now.pass(at, owner)
            .then(|| Reference::new(target, place, owner))
    }

    fn new(target: Target, place: Place, owner: Owner) -> Reference {
        HELD.fetch_add(1, Ordering::Relaxed);
        Reference {
            target,
            place,
            owner,
            process: UniquePid::current(),
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

impl Sent {
    fn run(self) -> Run {
        Run::of_parts(self.run_pid, self.run)
    }

    fn find(self) -> io::Result<(Target, Place)> {
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
    fn release(self, from: Owner) {
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
    fn release_later(self, from: Owner, error: &io::Error) {
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

/// The number of places in the first part with places for owners, and in the longest; each has twice as many as the
/// one before.
const FIRST_PLACES: usize = 56;
const MOST_PLACES: usize = 1024;

fn take_place(target: &Target, owner: Owner) -> io::Result<Place> {
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
/// [leaving](registry::making) its run.
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

/// Discards the messages of a channel that nothing uses.
pub(crate) type Discard = fn(&Arc<Chunk>, u32);

static DISCARD: OnceLock<Discard> = OnceLock::new();

/// Sets what [discards](Discard) messages; a process that can have a reference to a channel has called it.
pub(crate) fn discard_with(discard: Discard) {
    let _ = DISCARD.set(discard);
}

type Slots = Vec<(Arc<Chunk>, u32)>;

thread_local! {
    /// Slots that this thread has to look at when it has freed the one that it frees now, which may be a part of a long
    /// chain; `None` while it frees nothing.
    static LATER: RefCell<Option<Slots>> = const { RefCell::new(None) };
}

/// Frees a slot if it has no owner.
pub(super) fn collect(chunk: &Arc<Chunk>, unit: u32) {
    /// Also if something panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            let _ = LATER.try_with(RefCell::take);
        }
    }
    let is_later = LATER.try_with(|later| {
        let mut later = later.borrow_mut();
        let is_later = later.is_some();
        let slots = later.get_or_insert_default();
        if is_later {
            slots.push((Arc::clone(chunk), unit));
        }
        is_later
    });
    if is_later == Ok(true) {
        return;
    }
    let _end = End;
    free_if_unowned(chunk, unit);
    while let Ok(Some((chunk, unit))) = LATER.try_with(|later| later.borrow_mut().as_mut()?.pop()) {
        free_if_unowned(&chunk, unit);
    }
}

fn free_if_unowned(chunk: &Arc<Chunk>, unit: u32) {
    let slot = chunk.slot(unit);
    let me = Owner::process(UniquePid::current());
    loop {
        let seen = State::of(&slot.state);
        if seen.phase() != Phase::Live || owner::has_any(chunk, unit, |_| true).unwrap_or(true) {
            return;
        }
        // If this process is killed from here on, the one that releases its references continues.
        let places = inline(chunk, unit);
        let Some(index) = places.iter().position(|place| me.take(place)) else {
            return;
        };
        let place = &places[index];
        let dying = State::new(seen.generation(), Phase::Dying(index));
        if seen.change(&slot.state, dying) {
            return finish(chunk, unit, me, place);
        }
        me.release(place);
    }
}

/// Frees a slot that is dying, and what belongs to it; `owner`, at that place, is the only one.
pub(super) fn finish(chunk: &Arc<Chunk>, unit: u32, owner: Owner, place: &AtomicU64) {
    let content = chunk.content(unit);
    if content.is_some_and(|content| content.access == Access::Channel)
        && let Some(discard) = DISCARD.get()
    {
        discard(chunk, unit);
    }
    let this = Pointer {
        chunk: chunk.number,
        unit,
    };
    let generation = State::of(&chunk.slot(unit).state).generation();
    let this = Owner::part(this, generation);
    let mut parts = Vec::new();
    let mut next = owner::first_part(chunk, unit);
    while let Some(pointer) = next
        && let Ok(part) = Chunk::find(chunk.run, pointer)
    {
        next = owner::next_part(&part, pointer.unit);
        parts.push((part, pointer.unit));
    }
    // From the last to the first: if this process is killed meanwhile, the next one finds those that are left.
    for (part, unit) in parts.iter().rev() {
        release_part(part, *unit, this);
    }
    if cfg!(debug_assertions)
        && let Some(content) = content.filter(|content| content.access != Access::Owners)
    {
        // Whoever still used it would notice.
        chunk.fill(unit, 0xa5, content);
    }
    allocator::free(chunk, unit, owner, place);
}

/// Releases a part of a slot.
pub(super) fn release_part(part: &Arc<Chunk>, unit: u32, owner: Owner) {
    let mut places = inline(part, unit).iter();
    if places.any(|place| owner.release(place)) {
        collect(part, unit);
    }
}

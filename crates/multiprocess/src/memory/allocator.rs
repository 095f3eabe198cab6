//! The allocator: where this process makes slots.
//!
//! Each process makes slots only in its own chunks, so what is free there is known to it alone, and no lock between
//! processes is needed. A slot keeps its shape and its mutexes; it is used again for the same shape only. Other
//! processes free slots too: they mark them, and this process looks for the marks before it makes another chunk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Content, LOCK, Pointer, Shape, UNIT};
use crate::memory::liveness::UniquePid;
use crate::memory::name::Run;
use crate::memory::owner::{Owner, Phase, State, inline};
use crate::memory::registry;
use crate::platform::is_portable;
use crate::platform::limits;
use crate::platform::wait_until::WaitUntil;

/// Units of the first chunk of a process; each is twice as long as the one before, up to the longest.
const FIRST: u64 = 1024;
const LONGEST: u64 = 16 * FIRST;

/// A chunk has at least so many units more than its first slot.
const SPARE: u64 = FIRST / 32;

/// A slot of more units has a chunk of its own.
const LARGE: u64 = FIRST / 4;

/// The bits of a chunk for one slot: it begins at one of its first units.
const FEW_BITS: u64 = 8;

/// A slot that was made.
pub(super) struct Made {
    pub(super) chunk: Arc<Chunk>,
    pub(super) unit: u32,
    pub(super) generation: u32,
    /// The place of its first owner.
    pub(super) place: usize,
}

/// The chunks of this process, for one run.
struct Allocator {
    process: UniquePid,
    run: Run,
    chunks: Vec<Own>,
    /// Slots that are known to be free, by their shape.
    free: BTreeMap<Shape, Vec<(Arc<Chunk>, u32)>>,
}

struct Own {
    chunk: Arc<Chunk>,
    /// Open, to see whether a cleaner has removed it.
    file: File,
    /// The first unit that is part of no slot.
    next: u32,
    /// How many slots are in use, as far as is known.
    used: usize,
    /// How many slots others had freed when this was last looked up.
    freed: u64,
}

static ALLOCATORS: Mutex<BTreeMap<Run, Allocator>> = Mutex::new(BTreeMap::new());

fn allocators() -> MutexGuard<'static, BTreeMap<Run, Allocator>> {
    ALLOCATORS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shape {
    /// Returns a shape for at least that much data; for long data a little more, so that a slot fits for more lengths.
    fn for_content(locks: u8, words: u8, content: Content) -> io::Result<Shape> {
        let units = content.length.div_ceil(UNIT);
        let step = (units.next_power_of_two() / 8).max(1);
        let units = if units as u64 <= LARGE {
            units.next_multiple_of(step)
        } else {
            units
        };
        let Ok(data) = u32::try_from(units) else {
            // Usually there isn't that much memory, and the error says how much there is.
            limits::check(content.length as u64)?;
            let reason = "it is larger than the largest piece of shared memory (256 GiB)";
            return Err(io::Error::new(ErrorKind::OutOfMemory, reason));
        };
        Ok(Shape {
            locks,
            words,
            for_owners: content.access == Access::Owners,
            data,
        })
    }
}

/// Makes a slot, whose data and words are zero. This process is a part of the run, and the caller keeps it from
/// [leaving](crate::memory::registry::making).
pub(super) fn make(
    run: Run,
    locks: u8,
    words: u8,
    content: Content,
    owner: Owner,
) -> io::Result<Made> {
    let shape = Shape::for_content(locks, words, content)?;
    if shape.units() > LARGE {
        let first = 1 + FEW_BITS * 8 / UNIT as u64;
        let (chunk, _) = Chunk::create(run, first + shape.units(), FEW_BITS)?;
        let unit = chunk.first_unit();
        let made = chunk.carve(unit, shape).and_then(|()| {
            let made = put_to_use(&chunk, unit, State::new(0, Phase::Kept), content, owner);
            made.ok_or_else(|| ErrorKind::InvalidData.into())
        });
        let made = made.inspect_err(|_| run.remove_chunk(chunk.number))?;
        // Only now: until then, it has no slot in use.
        chunk.header().abandoned.store(1, Ordering::SeqCst);
        return Ok(made);
    }
    let mut allocators = allocators();
    let own = Allocator::of(&mut allocators, run);
    loop {
        let Some((index, unit)) = own.take(shape)? else {
            continue;
        };
        let own = &mut own.chunks[index];
        let state = State::of(&own.chunk.slot(unit).state);
        // If it can't be used, it is lost until the chunk is removed.
        if let Some(made) = put_to_use(&own.chunk, unit, state, content, owner) {
            own.used += 1;
            return Ok(made);
        }
    }
}

/// Makes a slot that is free ready for use; `None` if that can't be done.
fn put_to_use(
    chunk: &Arc<Chunk>,
    unit: u32,
    state: State,
    content: Content,
    owner: Owner,
) -> Option<Made> {
    let slot = chunk.slot(unit);
    if let Some(lock) = chunk.locks(unit).get(LOCK)
        && lock.holder.load(Ordering::Acquire) != 0
    {
        // A process died while it held the lock. This makes the mutex consistent, unless a thread holds it.
        if lock.holder.load(Ordering::Relaxed) == UniquePid::current().number() {
            return None;
        }
        if is_portable() {
            let pointer = Pointer {
                chunk: chunk.number,
                unit,
            };
            let file = registry::file_lock(chunk.run, pointer, LOCK).ok()?;
            file.lock(WaitUntil::Try).ok()?;
            file.unlock();
        } else {
            lock.mutex.lock(WaitUntil::Try).ok()?;
            lock.mutex.unlock();
        }
        lock.holder.store(0, Ordering::Relaxed);
    }
    for lock in chunk.locks(unit) {
        lock.death.store(0, Ordering::Relaxed);
    }
    slot.parts.store(0, Ordering::Relaxed);
    // New memory is zero, and so are places without an owner.
    if state.generation() > 0 && content.access != Access::Owners {
        chunk.fill(unit, 0, content);
    }
    slot.content.store(content.number(), Ordering::Release);
    let generation = state.generation();
    let live = State::new(generation, Phase::Live);
    // One may still contain the process that freed the slot, if it was killed just then.
    let place = inline(chunk, unit)
        .iter()
        .position(|place| owner.take(place))?;
    slot.state.store(live.number(), Ordering::SeqCst);
    Some(Made {
        chunk: Arc::clone(chunk),
        unit,
        generation,
        place,
    })
}

impl Allocator {
    /// Returns the allocator of this process for a run.
    fn of(allocators: &mut BTreeMap<Run, Allocator>, run: Run) -> &mut Allocator {
        let process = UniquePid::current();
        // That of the original is of no use to a copy made by `fork`.
        allocators.retain(|_, own| own.process == process);
        allocators.entry(run).or_insert_with(|| Allocator {
            process,
            run,
            chunks: Vec::new(),
            free: BTreeMap::new(),
        })
    }

    /// Takes a free slot of that shape, or makes one: returns the index of its chunk, and its unit; `None` if there may be
    /// another one now.
    fn take(&mut self, shape: Shape) -> io::Result<Option<(usize, u32)>> {
        if let Some((chunk, unit)) = self.free.get_mut(&shape).and_then(Vec::pop) {
            let index = self.index(&chunk).expect("it is kept with its chunk");
            return Ok((!self.forget_if_removed(index)).then_some((index, unit)));
        }
        if self.look_for_freed() {
            return Ok(None);
        }
        let units = u32::try_from(shape.units()).expect("it isn't large");
        let has_room = |own: &Own| own.chunk.units() - own.next >= units;
        if let Some(index) = self.chunks.iter().rposition(has_room) {
            if self.forget_if_removed(index) {
                return Ok(None);
            }
            let own = &mut self.chunks[index];
            own.chunk.carve(own.next, shape)?;
            let state = State::new(0, Phase::Kept).number();
            own.chunk
                .slot(own.next)
                .state
                .store(state, Ordering::Relaxed);
            let unit = own.next;
            own.next += units;
            return Ok(Some((index, unit)));
        }
        let length = FIRST << self.chunks.len().min(8);
        let (chunk, file) = self.create_chunk(length.min(LONGEST), shape)?;
        let _ = file.unlock();
        self.chunks.push(Own {
            next: chunk.first_unit(),
            chunk,
            file,
            used: 0,
            freed: 0,
        });
        Ok(None)
    }

    /// Creates a chunk of that many units; of fewer if there is too little memory or a limit for files, as long as the
    /// shape fits.
    fn create_chunk(&self, mut length: u64, shape: Shape) -> io::Result<(Arc<Chunk>, File)> {
        loop {
            let created = Chunk::create(self.run, length, length / 64);
            let is_too_long = |error: &io::Error| {
                let kind = error.kind();
                matches!(kind, ErrorKind::OutOfMemory | ErrorKind::FileTooLarge)
            };
            if !created.as_ref().is_err_and(is_too_long) || length / 2 < SPARE + shape.units() {
                return created;
            }
            length /= 2;
        }
    }

    fn index(&self, chunk: &Arc<Chunk>) -> Option<usize> {
        let mut chunks = self.chunks.iter();
        chunks.position(|own| Arc::ptr_eq(&own.chunk, chunk))
    }

    /// Keeps a slot that is free, to use it again.
    fn keep(&mut self, index: usize, unit: u32) {
        let own = &mut self.chunks[index];
        own.used = own.used.saturating_sub(1);
        let shape = own.chunk.shape(unit);
        let free = self.free.entry(shape).or_default();
        free.push((Arc::clone(&own.chunk), unit));
    }

    /// Makes no more slots in a chunk whose file somebody has removed, since no other process could find them.
    fn forget_if_removed(&mut self, index: usize) -> bool {
        let found = self.chunks[index].file.metadata();
        let is_removed = found.is_ok_and(|found| found.nlink() == 0);
        if is_removed {
            self.forget(index);
        }
        is_removed
    }

    fn forget(&mut self, index: usize) -> Own {
        let own = self.chunks.remove(index);
        for free in self.free.values_mut() {
            free.retain(|(chunk, _)| !Arc::ptr_eq(chunk, &own.chunk));
        }
        own
    }

    /// Removes chunks without a slot in use, the longest last, until that many of them are left.
    fn remove_empty_chunks(&mut self, kept: usize) {
        let is_empty = |own: &Own| own.used == 0;
        while self.chunks.iter().filter(|own| is_empty(own)).count() > kept {
            let index = self.chunks.iter().position(is_empty);
            let own = self.forget(index.expect("there are some"));
            self.run.remove_chunk(own.chunk.number);
        }
    }

    /// Counts the slots in use again: a process may have been killed before it had counted one that it freed.
    fn count_again(&mut self) {
        for own in &mut self.chunks {
            own.freed = own
                .chunk
                .header()
                .freed
                .load(Ordering::Acquire)
                .wrapping_sub(1);
        }
        self.look_for_freed();
        self.count();
    }

    fn count(&mut self) {
        for own in &mut self.chunks {
            // One that is freed just now counts until it is kept.
            let state = |unit| State::of(&own.chunk.slot(unit).state);
            let slots = own.chunk.slots();
            own.used = slots
                .filter(|unit| state(*unit).phase() != Phase::Kept)
                .count();
        }
    }

    /// Keeps the slots that other processes have freed since the last time; returns whether there are any.
    fn look_for_freed(&mut self) -> bool {
        let mut found = Vec::new();
        for (index, own) in self.chunks.iter_mut().enumerate() {
            let freed = own.chunk.header().freed.load(Ordering::Acquire);
            if std::mem::replace(&mut own.freed, freed) == freed {
                continue;
            }
            found.extend(own.chunk.slots().filter_map(|unit| {
                keep_if_free(&own.chunk.slot(unit).state).then_some((index, unit))
            }));
        }
        for (index, unit) in &found {
            self.keep(*index, *unit);
        }
        !found.is_empty()
    }
}

/// Makes a slot free, after everything in it was freed by its last owner, which has that place.
pub(super) fn free(chunk: &Arc<Chunk>, unit: u32, owner: Owner, place: &AtomicU64) {
    let slot = chunk.slot(unit);
    let mut allocators = allocators();
    let own = allocators.get_mut(&chunk.run);
    let own = own.filter(|own| own.process == UniquePid::current());
    let index = own.as_ref().and_then(|own| own.index(chunk));
    let generation = State::of(&slot.state).generation().wrapping_add(1);
    let phase = index.map_or(Phase::Free, |_| Phase::Kept);
    let state = State::new(generation, phase).number();
    slot.state.store(state, Ordering::SeqCst);
    owner.release(place);
    if let (Some(own), Some(index)) = (own, index) {
        own.keep(index, unit);
        own.look_for_freed();
        // One more may be needed again soon.
        return own.remove_empty_chunks(1);
    }
    drop(allocators);
    chunk.header().freed.fetch_add(1, Ordering::Release);
    if chunk.header().abandoned.load(Ordering::SeqCst) != 0 {
        remove_if_empty(chunk, unit);
    }
}

/// Notes that the maker of a slot knows that it is free; returns whether it is, and was not known to be.
fn keep_if_free(state: &AtomicU64) -> bool {
    loop {
        let now = State::of(state);
        if now.phase() != Phase::Free {
            return false;
        }
        // Unless it was counted meanwhile.
        if now.change(state, State::new(now.generation(), Phase::Kept)) {
            return true;
        }
    }
}

fn is_used(chunk: &Chunk, unit: u32) -> bool {
    State::of(&chunk.slot(unit).state).is_used()
}

/// Removes a chunk in which no more slots are made, if none is in use. Looks first at those behind a unit.
pub(super) fn remove_if_empty(chunk: &Arc<Chunk>, behind: u32) {
    let is_used_between = |from: u32, to: u32| {
        let mut slots = chunk.slots().skip_while(|unit| *unit < from);
        slots.any(|unit| unit < to && is_used(chunk, unit))
    };
    if !is_used_between(behind, u32::MAX) && !is_used_between(0, behind) {
        chunk.run.remove_chunk(chunk.number);
    }
}

/// Removes the chunks of this process that other processes have emptied.
pub(super) fn tidy() {
    let mut allocators = allocators();
    let own = allocators.values_mut();
    let own = own.filter(|own| own.process == UniquePid::current());
    own.for_each(|own| {
        own.count_again();
        let is_idle = own.chunks.iter().all(|own| own.used == 0);
        own.remove_empty_chunks(usize::from(is_idle));
    });
}

/// Makes no more slots, at the end of this process: its chunks are removed, at once or with the last slot in them.
pub(super) fn abandon() {
    let own = std::mem::take(&mut *allocators()).into_values();
    let own = own.filter(|own| own.process == UniquePid::current());
    for Own { chunk, .. } in own.flat_map(|own| own.chunks) {
        chunk.header().abandoned.store(1, Ordering::SeqCst);
        remove_if_empty(&chunk, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::run_file::{self, Existence};
    use std::fs;

    #[test]
    fn a_slot_that_is_freed_while_slots_are_counted_counts_once() {
        // No sweep of another test looks at it.
        let run = Run::new();
        let _lease = run_file::hold(&run.lease(), Existence::New).unwrap();
        let owner = Owner::process(UniquePid::current());
        let content = Content {
            length: 8,
            access: Access::Atomic,
        };
        let [kept, freed] = [(); 2].map(|()| make(run, 0, 0, content, owner).unwrap());
        let mut allocators = allocators();
        let own = allocators.get_mut(&run).unwrap();
        own.look_for_freed();
        // As another process does.
        let free = State::new(freed.generation + 1, Phase::Free).number();
        let header = freed.chunk.slot(freed.unit);
        header.state.store(free, Ordering::SeqCst);
        freed.chunk.header().freed.fetch_add(1, Ordering::SeqCst);
        own.count();
        own.look_for_freed();
        assert_eq!(own.chunks[0].used, 1);
        run.remove_chunk(kept.chunk.number);
        allocators.remove(&run);
        drop(allocators);
        fs::remove_file(run.lease()).unwrap();
    }
}

//! The sweep: releases the references of processes that were killed, and removes what they left.
//!
//! A dead process's references are found by its number at the places for owners. It is dead when its file can be locked;
//! the file is removed after its references, so a sweep that is killed is repeated by the next.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::allocator::{self, remove_if_empty};
use crate::memory::chunk::Chunk;
use crate::memory::freeing::{collect, finish};
use crate::memory::liveness::{self, ALIVE, NEW, ORPHAN, UniquePid};
use crate::memory::name::{Run, path, remove};
use crate::memory::owner::{self, Kind, Owner, Phase, State};
use crate::memory::run_file;
use crate::memory::sent::release_again;
use crate::memory::{anonymous_file, registry};

/// Marks this process as an orphan, for the other processes of the run: no parent will notice its end.
pub(crate) fn become_orphan(run: Run) {
    if let Ok(_making) = registry::making() {
        let _ = registry::mark_orphan(run);
    }
}

/// What a sweep leaves for the next one.
#[derive(Default)]
pub(crate) struct Left {
    /// There are processes whose end no parent will notice.
    pub(crate) orphans: bool,
    /// Something could not be looked at now.
    pub(crate) unknown: bool,
}

/// Removes what killed processes left, in runs that are over and in those that this process belongs to.
pub(crate) fn sweep() -> Left {
    let names = registry::list();
    registry::clear_dead(&names);
    let mut left = Left {
        unknown: release_again(),
        ..Left::default()
    };
    for run in registry::runs() {
        if let Some(names) = names.get(&run) {
            sweep_run(run, names, &mut left);
        }
    }
    allocator::tidy();
    left
}

fn sweep_run(run: Run, names: &[String], left: &mut Left) {
    let mut sweep = Sweep {
        run,
        chunks: BTreeMap::new(),
        ended: BTreeMap::new(),
        unknown: false,
    };
    // Before it looks: one that ends meanwhile may have taken a reference behind its back, and is left to the next sweep.
    for process in names.iter().filter_map(|name| process_of(run, name)) {
        sweep.has_ended(Owner::process(process));
    }
    for number in names.iter().filter_map(|name| run.chunk_number(name)) {
        sweep.open(number);
    }
    for chunk in sweep.chunks.clone().into_values() {
        sweep.release_in(&chunk);
    }
    for chunk in sweep.chunks.clone().into_values() {
        let is_abandoned = chunk.header().abandoned.load(Ordering::Acquire) != 0;
        let maker = chunk.maker();
        if is_abandoned || maker.is_some_and(|maker| sweep.has_ended(Owner::process(maker))) {
            chunk.header().abandoned.store(1, Ordering::SeqCst);
            remove_if_empty(&chunk, 0);
        }
    }
    left.unknown |= sweep.unknown;
    // Only now: as long as their files exist, the next sweep continues where this one is killed.
    let is_dead = |process: UniquePid| !sweep.unknown && sweep.ended[&Owner::process(process)];
    clear_dead_processes(run, names, is_dead, left);
}

/// A sweep of one run.
struct Sweep {
    run: Run,
    chunks: BTreeMap<u32, Arc<Chunk>>,
    /// Which processes had ended when they were first looked up.
    ended: BTreeMap<Owner, bool>,
    unknown: bool,
}

impl Sweep {
    fn has_ended(&mut self, process: Owner) -> bool {
        let known = self.ended.entry(process.with_side(None));
        *known.or_insert_with(|| process.has_ended(self.run))
    }

    /// Maps a chunk; removes one that was never completed.
    fn open(&mut self, number: u32) {
        match Chunk::open(self.run, number) {
            Ok(chunk) => drop(self.chunks.insert(number, chunk)),
            Err(error) if error.kind() == NotFound => {
                // Its maker has it locked until it is complete.
                let path = self.run.chunk(number);
                // Locked until it is removed.
                if let Some(_locked) = run_file::lock_alone(&path)
                    && Chunk::open(self.run, number).is_err()
                {
                    let _ = fs::remove_file(path);
                }
            }
            Err(_) => self.unknown = true,
        }
    }

    fn release_in(&mut self, chunk: &Arc<Chunk>) {
        for unit in chunk.slots() {
            let places = owner::inline(chunk, unit).iter();
            for place in places {
                self.release(chunk, unit, place);
            }
            // A process may have been killed before it freed the slot.
            if State::of(&chunk.slot(unit).state).phase() == Phase::Live {
                self.release_in_parts(chunk, unit);
                collect(chunk, unit);
            }
        }
    }

    fn release_in_parts(&mut self, chunk: &Arc<Chunk>, unit: u32) {
        let seen = owner::each(chunk, unit, |part, of, places| {
            if !(Arc::ptr_eq(part, chunk) && of == unit) {
                for place in places {
                    self.release(chunk, unit, place);
                }
            }
            None::<()>
        });
        self.unknown |= seen.is_err();
    }

    /// Releases a reference to a slot if its owner is gone.
    fn release(&mut self, chunk: &Arc<Chunk>, unit: u32, place: &AtomicU64) {
        let Some(owner) = Owner::at(place) else {
            return;
        };
        if !self.is_gone(owner) {
            return;
        }
        let place_of_last = match State::of(&chunk.slot(unit).state).phase() {
            Phase::Dying(index) => owner::inline(chunk, unit).get(index),
            _ => None,
        };
        if place_of_last.is_some_and(|last| std::ptr::eq(last, place)) {
            // It was killed while it freed the slot.
            let me = Owner::process(UniquePid::current());
            if owner.pass(place, me) {
                finish(chunk, unit, me, place);
            }
        } else {
            owner.release(place);
        }
    }

    fn is_gone(&mut self, owner: Owner) -> bool {
        match owner.kind() {
            Some(Kind::Process(_) | Kind::Transit(_)) => self.has_ended(owner),
            Some(Kind::Message(slot) | Kind::Part(slot)) => {
                let Some(chunk) = self.chunks.get(&slot.chunk).cloned().or_else(|| {
                    // Made since the names were listed, or removed.
                    Chunk::open(self.run, slot.chunk).ok()
                }) else {
                    return !self.run.chunk(slot.chunk).exists();
                };
                let is_used = |unit| {
                    let state = State::of(&chunk.slot(unit).state);
                    let is_part = matches!(owner.kind(), Some(Kind::Part(_)));
                    state.is_used() && (!is_part || owner.is_of(state.generation()))
                };
                !(chunk.has_slot(slot.unit) && is_used(slot.unit))
            }
            None => false,
        }
    }
}

/// Returns the process whose file shows that it is alive.
fn process_of(run: Run, name: &str) -> Option<UniquePid> {
    let rest = run.rest(name)?.strip_prefix('.')?;
    let number = rest.strip_prefix(ALIVE)?;
    UniquePid::from_number(u64::from_str_radix(number, 16).ok()?)
}

/// Removes the files of killed processes.
fn clear_dead_processes(
    run: Run,
    names: &[String],
    is_dead: impl Fn(UniquePid) -> bool,
    left: &mut Left,
) {
    let own_mark = UniquePid::own().file(run, ORPHAN);
    for name in names {
        let Some(rest) = run.rest(name).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let path = path(name);
        if rest.starts_with(anonymous_file::VALUE) || rest.starts_with(NEW) {
            // A process that has just created it removes it too, or creates another.
            remove(name);
        } else if let Some(process) = process_of(run, name) {
            if is_dead(process) {
                liveness::remove_if_dead(&path);
            }
        } else if rest.starts_with(ORPHAN) && path != own_mark {
            left.orphans |= !liveness::remove_if_dead(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
    use std::thread::JoinHandle;

    use super::*;
    use crate::memory::layout::{Access, Content, LOCK, Pointer};
    use crate::memory::run_file::Existence;
    use crate::memory::slot::Slot;
    use crate::platform::wait_until::WaitUntil;

    /// A process that ended without releasing its references.
    fn dead_process(run: Run, half: u32) -> UniquePid {
        // It had the pid of this one: a pid is used again.
        let dead = UniquePid::of(std::process::id(), half);
        let file = run.file(&format!("{ALIVE}{:x}", dead.number()));
        drop(run_file::open(&file, Existence::New).unwrap());
        dead
    }

    fn slot() -> Arc<Slot> {
        let content = Content {
            length: 8,
            access: Access::Locked,
        };
        Slot::create(1, 0, content).unwrap()
    }

    /// Where it is, and its generation.
    fn place(slot: &Slot) -> (Arc<Chunk>, u32, u32) {
        let (chunk, unit) = (Arc::clone(&slot.view.chunk), slot.pointer().unit);
        let generation = State::of(&chunk.slot(unit).state).generation();
        (chunk, unit, generation)
    }

    fn is_live((chunk, unit, generation): &(Arc<Chunk>, u32, u32)) -> bool {
        let state = State::of(&chunk.slot(*unit).state);
        state.phase() == Phase::Live && state.generation() == *generation
    }

    /// The tests share a run, and what one has prepared is not for another's sweep.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn the_references_of_a_dead_process_are_released_and_no_others() {
        let _alone = alone();
        let (kept, left) = (slot(), slot());
        let dead = Owner::process(dead_process(kept.run(), 1));
        for slot in [&kept, &left] {
            let (chunk, unit, _) = place(slot);
            assert!(dead.take(&owner::inline(&chunk, unit)[3]));
        }
        let at = place(&left);
        drop(left);
        assert!(is_live(&at), "the dead process still has a reference");
        sweep();
        assert!(!is_live(&at));
        assert!(is_live(&place(&kept)), "this process has a reference");
        kept.lock(WaitUntil::Try).unwrap().fill(7);
    }

    #[test]
    fn what_is_in_transit_to_a_child_is_kept_until_the_child_has_ended() {
        let _alone = alone();
        let slot = slot();
        let at = place(&slot);
        // It has no file yet. Nor has one that never began; no pid is that large.
        let starting = Owner::transit(UniquePid::of(std::process::id(), 5));
        let ended = Owner::transit(UniquePid::of(1 << 23, 5));
        let places = owner::inline(&at.0, at.1);
        assert!(starting.take(&places[2]) && ended.take(&places[3]));
        drop(slot);
        sweep();
        assert_eq!(Owner::at(&places[3]), None);
        assert!(is_live(&at));
        assert!(starting.release(&places[2]));
        collect(&at.0, at.1);
        assert!(!is_live(&at));
    }

    #[test]
    fn an_owner_that_passes_its_reference_on_and_then_ends_is_not_the_last() {
        let _alone = alone();
        let slot = slot();
        let at = place(&slot);
        let [child, parent] = [dead_process(slot.run(), 77), UniquePid::current()]
            .map(|process| Owner::process(process).with_side(Some(0)));
        let place = &owner::inline(&at.0, at.1)[2];
        assert!(child.take(place));
        let has_owner = slot.has_owner(|owner| {
            // Before the verdict, as the child may do.
            child.pass(place, parent);
            owner.side() == Some(0) && !owner.has_ended(slot.run())
        });
        assert!(has_owner.unwrap(), "the parent has the reference");
        assert!(parent.release(place));
        sweep();
    }

    #[test]
    fn references_beyond_the_first_are_released_too() {
        let _alone = alone();
        let slot = slot();
        let dead = Owner::process(dead_process(slot.run(), 2));
        let more: Vec<_> = (0..300).map(|_| slot.reference(None).unwrap()).collect();
        let at = place(&slot);
        let mut taken = 0;
        owner::each(&at.0, at.1, |_, _, places| {
            taken += places.iter().filter(|place| dead.take(place)).count();
            None::<()>
        })
        .unwrap();
        assert!(taken > 0, "a part has some more places");
        drop((slot, more));
        assert!(is_live(&at));
        sweep();
        assert!(!is_live(&at));
    }

    #[test]
    fn a_slot_that_a_process_was_freeing_when_it_was_killed_is_freed() {
        let _alone = alone();
        let slot = slot();
        let at = place(&slot);
        let dead = Owner::process(dead_process(slot.run(), 3));
        std::mem::forget(slot);
        let header = at.0.slot(at.1);
        for place in &header.owners {
            place.store(0, Ordering::SeqCst);
        }
        assert!(dead.take(&header.owners[0]));
        let dying = State::new(at.2, Phase::Dying(0));
        header.state.store(dying.number(), Ordering::SeqCst);
        sweep();
        let state = State::of(&header.state);
        assert!(!state.is_used());
        assert_eq!(state.generation(), at.2 + 1);
    }

    #[test]
    fn a_slot_without_an_owner_that_nobody_freed_is_freed() {
        let _alone = alone();
        let slot = slot();
        let at = place(&slot);
        std::mem::forget(slot);
        for place in &at.0.slot(at.1).owners {
            place.store(0, Ordering::SeqCst);
        }
        sweep();
        assert!(!is_live(&at));
    }

    #[test]
    fn what_belongs_to_a_slot_or_a_message_that_is_gone_is_released() {
        let _alone = alone();
        let (of_slot, of_message, gone) = (slot(), slot(), slot());
        let pointer = gone.pointer();
        let owners = [
            Owner::part(pointer, gone.generation()),
            Owner::message(pointer, 5),
        ];
        let places = [place(&of_slot), place(&of_message)];
        for (owner, at) in owners.into_iter().zip(&places) {
            assert!(owner.take(&owner::inline(&at.0, at.1)[2]));
        }
        drop((of_slot, of_message));
        sweep();
        assert!(places.iter().all(is_live), "what they belong to is there");
        drop(gone);
        // Unless another test uses it again.
        if !is_used(pointer, &places[0].0) {
            sweep();
            assert!(!places.iter().any(is_live));
        }
    }

    fn is_used(pointer: Pointer, near: &Arc<Chunk>) -> bool {
        let chunk = Chunk::open(near.run, pointer.chunk).unwrap();
        State::of(&chunk.slot(pointer.unit).state).phase() == Phase::Live
    }

    /// Locks a slot's mutex in a thread, which ends when the sender is dropped. Its process doesn't count as the holder,
    /// so that the slot can be freed meanwhile, as after a wrong verdict of death.
    fn hold(at: &(Arc<Chunk>, u32, u32)) -> (mpsc::Sender<()>, JoinHandle<()>) {
        let (chunk, unit) = (Arc::clone(&at.0), at.1);
        let ((end, until_end), (ready, is_ready)) = (mpsc::channel(), mpsc::channel());
        let thread = std::thread::spawn(move || {
            let lock = &chunk.locks(unit)[LOCK];
            lock.mutex.lock(WaitUntil::Try).unwrap();
            lock.holder.store(77, Ordering::SeqCst);
            ready.send(()).unwrap();
            let _ = until_end.recv();
        });
        is_ready.recv().unwrap();
        (end, thread)
    }

    #[test]
    fn a_slot_is_used_again_after_its_holder_has_died_and_not_before() {
        let _alone = alone();
        for is_dead in [false, true] {
            let first = slot();
            let at = place(&first);
            let mut holder = Some(hold(&at));
            let end = |(end, thread): (mpsc::Sender<()>, JoinHandle<()>)| {
                drop(end);
                // Not only finished: the system has freed its mutexes then.
                thread.join().unwrap();
            };
            if is_dead {
                holder.take().map(end);
            }
            drop(first);
            let others: Vec<_> = (0..200).map(|_| slot()).collect();
            let is_used_again = others.iter().any(|slot| slot.pointer().unit == at.1);
            assert_eq!(is_used_again, is_dead);
            for slot in &others {
                // Its mutex is consistent, and no process has died in its new use.
                assert_eq!(slot.lock(WaitUntil::Try).unwrap().slot.dead_holder(), None);
            }
            holder.map(end);
        }
    }

    #[test]
    fn a_slot_that_a_living_process_is_freeing_is_left_to_it() {
        let _alone = alone();
        let slot = slot();
        let at = place(&slot);
        let dead = Owner::process(dead_process(slot.run(), 4));
        let me = Owner::process(UniquePid::current());
        std::mem::forget(slot);
        let header = at.0.slot(at.1);
        for place in &header.owners {
            place.store(0, Ordering::SeqCst);
        }
        // Two wanted to free it. The other one was killed before it saw that this one was first.
        assert!(me.take(&header.owners[0]) && dead.take(&header.owners[1]));
        let dying = State::new(at.2, Phase::Dying(0));
        header.state.store(dying.number(), Ordering::SeqCst);
        sweep();
        assert_eq!(State::of(&header.state), dying);
        assert_eq!(Owner::at(&header.owners[1]), None);
        finish(&at.0, at.1, me, &header.owners[0]);
        assert!(!State::of(&header.state).is_used());
    }

    #[test]
    fn places_for_owners_are_never_used_for_anything_else() {
        let _alone = alone();
        let slot = slot();
        let more: Vec<_> = (0..5).map(|_| slot.reference(None).unwrap()).collect();
        let (chunk, unit, _) = place(&slot);
        let part = owner::first_part(&chunk, unit).unwrap();
        let length = Chunk::find(slot.run(), part)
            .unwrap()
            .owners(part.unit)
            .len()
            * 8;
        // A sweep has seen its places, and is stopped.
        drop((more, slot));
        let others = (0..300).map(|_| {
            let access = Access::Atomic;
            Slot::create(0, 0, Content { length, access }).unwrap()
        });
        let others: Vec<_> = others.collect();
        assert!(others.iter().all(|slot| slot.pointer() != part));
    }
}

//! The redo log: changes of several numbers are atomic, even if the process is killed at any instant.
//!
//! The numbers are in shared memory, guarded by a lock. A change is first written to the log; then one store marks it
//! complete; then it is applied to the numbers, and the mark is cleared. The process that gets the lock after a death
//! applies a complete change again, and ignores an incomplete one.

use std::sync::atomic::{AtomicU32, Ordering, fence};

/// The most numbers that one change may set.
pub(crate) const MAX: usize = 8;

/// The length of the log, which is at the beginning of the memory.
pub(crate) const ROOM: usize = 2 * MAX;

/// Sets numbers, given as places and new values, in one step.
///
/// `memory` is the log and then the numbers; `complete` is how many of the log's entries are valid.
pub(crate) fn change(memory: &mut [u64], complete: &AtomicU32, changes: &[(usize, u64)]) {
    write_log(memory, changes);
    let count = u32::try_from(changes.len()).expect("a change sets few numbers");
    // The fences keep the compiler, too, from moving anything across this store.
    fence(Ordering::SeqCst);
    complete.store(count, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    finish(memory, complete);
}

fn write_log(memory: &mut [u64], changes: &[(usize, u64)]) {
    assert!(changes.len() <= MAX, "a change sets {MAX} numbers at most");
    let (log, numbers) = memory.split_at_mut(ROOM);
    for (entry, &(place, number)) in log.chunks_exact_mut(2).zip(changes) {
        assert!(place < numbers.len(), "a change stays within the numbers");
        entry[0] = place as u64;
        entry[1] = number;
    }
}

/// Applies the change in the log, if it is complete.
pub(crate) fn finish(memory: &mut [u64], complete: &AtomicU32) {
    let count = complete.load(Ordering::SeqCst) as usize;
    if count == 0 {
        return;
    }
    let (log, numbers) = memory.split_at_mut(ROOM);
    for entry in log.chunks_exact(2).take(count) {
        let place = usize::try_from(entry[0]).unwrap_or(usize::MAX);
        if let Some(number) = numbers.get_mut(place) {
            *number = entry[1];
        }
    }
    fence(Ordering::SeqCst);
    complete.store(0, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [(usize, u64); 3] = [(0, 7), (4, 8), (2, 9)];
    const OLD: [u64; 5] = [1, 2, 3, 4, 5];
    const NEW: [u64; 5] = [7, 2, 9, 4, 8];

    fn memory() -> Vec<u64> {
        let mut memory = vec![0; ROOM];
        memory.extend(OLD);
        memory
    }

    #[test]
    fn a_change_sets_all_its_numbers() {
        let (mut memory, complete) = (memory(), AtomicU32::new(0));
        change(&mut memory, &complete, &CHANGES);
        assert_eq!(memory[ROOM..], NEW);
        assert_eq!(complete.into_inner(), 0);
    }

    #[test]
    fn an_incomplete_change_in_the_log_is_ignored() {
        for written in 0..=CHANGES.len() {
            let (mut memory, complete) = (memory(), AtomicU32::new(0));
            write_log(&mut memory, &CHANGES[..written]);
            finish(&mut memory, &complete);
            assert_eq!(memory[ROOM..], OLD);
        }
    }

    #[test]
    fn a_change_that_was_partly_applied_is_applied_again() {
        for applied in 0..=CHANGES.len() {
            let (mut memory, complete) = (memory(), AtomicU32::new(0));
            write_log(&mut memory, &CHANGES);
            complete.store(3, Ordering::SeqCst);
            for (place, number) in &CHANGES[..applied] {
                memory[ROOM + place] = *number;
            }
            finish(&mut memory, &complete);
            assert_eq!(memory[ROOM..], NEW);
            assert_eq!(complete.into_inner(), 0);
        }
    }

    #[test]
    fn an_entry_with_an_invalid_place_is_ignored() {
        let (mut memory, complete) = (memory(), AtomicU32::new(1));
        memory[0] = u64::MAX;
        memory[1] = 6;
        finish(&mut memory, &complete);
        assert_eq!(memory[ROOM..], OLD);
    }

    #[test]
    #[should_panic(expected = "8 numbers at most")]
    fn a_change_of_too_many_numbers_is_refused() {
        change(&mut memory(), &AtomicU32::new(0), &[(0, 0); MAX + 1]);
    }
}

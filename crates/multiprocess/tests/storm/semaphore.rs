//! Semaphores: never more holders than permits, and all permits are free again when their holders are dead.

use std::time::Duration;

use multiprocess::{JoinHandle, RawValue, RegisteredTask, Semaphore, spawn, task};

use super::round::{Round, Victims, grow};
use crate::story;

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(enters), task(enters_for_ever)]
}

const PERMITS: u32 = 3;
const SURVIVORS: usize = 5;

/// Takes a permit in one of the possible ways, until the round ends.
fn enters(semaphore: Semaphore, inside: RawValue<u32>, over: RawValue<u8>) {
    for way in 0.. {
        if over.get() == 1 {
            return;
        }
        let permit = match way % 3 {
            0 => semaphore.acquire(),
            1 => semaphore.try_acquire(),
            _ => semaphore.acquire_timeout(Duration::from_millis(2)),
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(error) if error.is_would_block() || error.is_timeout() => continue,
            Err(error) => panic!("{error}"),
        };
        let others = inside.update(|count| count + 1);
        assert!(others < PERMITS, "{others} others are inside");
        inside.update(|count| count - 1);
        drop(permit);
    }
}

fn enters_for_ever(semaphore: Semaphore, large: bool) {
    grow(large);
    for way in 0_u64.. {
        let permit = semaphore.acquire().unwrap();
        if way % 5000 == 4999 {
            // The death of this process releases it.
            std::mem::forget(permit);
            return story::a_minute();
        }
    }
}

pub(crate) fn round(round: &mut Round<'_>) {
    let semaphore = Semaphore::new(PERMITS).unwrap();
    let inside = RawValue::new(0).unwrap();
    let over = RawValue::new(0_u8).unwrap();
    let survivors = [(); SURVIVORS].map(|()| {
        let args = (semaphore.clone(), inside.clone(), over.clone());
        spawn(enters, args).unwrap()
    });
    let mut victims = Victims::new(PERMITS as usize, |_, large| {
        spawn(enters_for_ever, (semaphore.clone(), large)).unwrap()
    });
    let pids: Vec<u32> = survivors.iter().map(JoinHandle::pid).collect();
    while !round.is_over() {
        victims.disturb_one(round, &pids);
    }
    victims.end(round);
    over.set(1);
    for survivor in survivors {
        round.join(survivor);
    }
    story::until("all permits are back", || {
        semaphore.free().unwrap() == PERMITS
    });
}

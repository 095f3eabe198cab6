//! Semaphores: never more inside than there are permits, and all permits are back when their holders are dead.

use std::time::Duration;

use multiprocess::{Error, JoinHandle, RawArray, RawValue, RegisteredTask, Semaphore, spawn, task};

use super::round::{Round, Victims, grow};
use crate::story;

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(enters), task(enters_for_ever)]
}

const PERMITS: u32 = 3;
const SURVIVORS: usize = 5;

/// Takes a permit in one of the ways there are, until it is over.
fn enters(semaphore: Semaphore, inside: RawArray<u8>, place: u32, over: RawValue<u8>) {
    let place = usize::try_from(place).unwrap();
    for way in 0.. {
        if over.get() == 1 {
            return;
        }
        let permit = match way % 3 {
            0 => semaphore.acquire().unwrap(),
            1 => match semaphore.try_acquire().unwrap() {
                Some(permit) => permit,
                None => continue,
            },
            _ => match semaphore.acquire_timeout(Duration::from_millis(2)) {
                Ok(permit) => permit,
                Err(Error::PermitTimeout { .. } | Error::LockTimeout { .. }) => continue,
                Err(error) => panic!("{error}"),
            },
        };
        inside.set(place, 1);
        let count: u32 = inside.iter().map(u32::from).sum();
        assert!(count <= PERMITS, "{count} are inside");
        inside.set(place, 0);
        drop(permit);
    }
}

fn enters_for_ever(semaphore: Semaphore, large: bool) {
    grow(large);
    for way in 0_u64.. {
        let permit = semaphore.acquire().unwrap();
        if way % 5000 == 4999 {
            // It comes back with the death of this process.
            std::mem::forget(permit);
            return story::a_minute();
        }
    }
}

pub(crate) fn round(round: &mut Round<'_>) {
    let semaphore = Semaphore::new(PERMITS).unwrap();
    let inside = RawArray::new(SURVIVORS).unwrap();
    let over = RawValue::new(0_u8).unwrap();
    let survivors: Vec<_> = (0..)
        .take(SURVIVORS)
        .map(|place| {
            let args = (semaphore.clone(), inside.clone(), place, over.clone());
            spawn(enters, args).unwrap()
        })
        .collect();
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

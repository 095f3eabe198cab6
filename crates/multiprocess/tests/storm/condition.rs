//! Conditions: no notification is lost. If a process is killed just after it was woken, while it holds the lock, the
//! next holder sees that death and passes the notification on.

use multiprocess::{Condition, ConditionGuard, JoinHandle, RawValue, RegisteredTask, spawn, task};

use super::round::{Round, Victims, grow};
use crate::story;

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(eats), task(eats_for_ever)]
}

const SURVIVORS: usize = 3;

/// The condition, the number of loaves in the shop, and how many were taken.
type Shop = (Condition, RawValue<u64>, RawValue<u64>);

/// Passes on the notification of a process that died holding the lock, and may have been woken by it.
fn pass_on(inside: &mut ConditionGuard<'_>) {
    if inside.holder_died() {
        inside.clear_death();
        inside.notify_one();
    }
}

fn eat(shop: &Shop, over: &RawValue<u8>) {
    let (condition, loaves, taken) = shop;
    while over.get() == 0 {
        let mut inside = condition.lock().unwrap();
        pass_on(&mut inside);
        inside
            .wait_for(|| loaves.get() > 0 || over.get() == 1)
            .unwrap();
        pass_on(&mut inside);
        if loaves.get() > 0 {
            loaves.set(loaves.get() - 1);
            taken.set(taken.get() + 1);
        }
    }
}

fn eats(shop: Shop, over: RawValue<u8>) {
    eat(&shop, &over);
}

fn eats_for_ever(shop: Shop, never: RawValue<u8>, large: bool) {
    grow(large);
    eat(&shop, &never);
}

pub(crate) fn round(round: &mut Round<'_>) {
    let shop: Shop = (
        Condition::new().unwrap(),
        RawValue::new(0).unwrap(),
        RawValue::new(0).unwrap(),
    );
    let (over, never) = (RawValue::new(0).unwrap(), RawValue::new(0).unwrap());
    let survivors: Vec<_> = (0..SURVIVORS)
        .map(|_| spawn(eats, (shop.clone(), over.clone())).unwrap())
        .collect();
    let mut victims = Victims::new(3, |_, large| {
        spawn(eats_for_ever, (shop.clone(), never.clone(), large)).unwrap()
    });
    let pids: Vec<u32> = survivors.iter().map(JoinHandle::pid).collect();
    let (condition, loaves, taken) = &shop;
    let mut baked = 0;
    while !round.is_over() {
        for _ in 0..round.dice.below(20) {
            let mut inside = condition.lock_timeout(story::LIMIT / 2).unwrap();
            pass_on(&mut inside);
            loaves.set(loaves.get() + 1);
            inside.notify_one();
            baked += 1;
        }
        victims.disturb_one(round, &pids);
    }
    victims.end(round);
    pass_on(&mut condition.lock_timeout(story::LIMIT / 2).unwrap());
    story::until("all is eaten", || loaves.get() == 0);
    let mut inside = condition.lock_timeout(story::LIMIT / 2).unwrap();
    over.set(1);
    inside.notify_all();
    drop(inside);
    for survivor in survivors {
        round.join(survivor);
    }
    // A process killed between the two numbers takes a loaf that is not counted.
    let counted = taken.get();
    assert!(
        counted <= baked && baked <= counted + round.killed,
        "{counted} of {baked} were taken, with {} killed",
        round.killed
    );
}

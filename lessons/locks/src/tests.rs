use crate::mutex::{with_fetch_add, with_lock};
use crate::race::hand_over;
use crate::schedules::ADDITIONS;
use std::collections::BTreeMap;
use std::sync::RwLock;

#[test]
fn locked_and_atomic_additions_lose_nothing_in_two_hundred_runs() {
    for _ in 0..200 {
        assert_eq!(with_lock(1000), 2000);
        assert_eq!(with_fetch_add(1000), 2000);
    }
}

#[test]
fn no_schedule_of_two_additions_each_makes_less_than_2_or_more_than_4() {
    let mut outcomes = Vec::new();
    for (_, outcome) in ADDITIONS.run_all().unwrap() {
        outcomes.push(outcome);
    }
    outcomes.sort();
    outcomes.dedup();
    let expected = [2, 3, 4].map(|total| format!("2 x 2 additions make {total}"));
    assert_eq!(outcomes, expected);
}

#[test]
fn a_schedule_makes_the_same_total_in_two_hundred_replays() {
    for (turns, total) in [("AABBBBAA", 4), ("ABABAABB", 3), ("ABBBBAAA", 2)] {
        let expected = format!("2 x 2 additions make {total}");
        for _ in 0..200 {
            assert_eq!(ADDITIONS.replay(turns).unwrap(), expected);
        }
    }
}

#[test]
fn the_flag_hands_over_the_value_in_two_hundred_runs() {
    for _ in 0..200 {
        assert_eq!(hand_over(), 42);
    }
}

#[test]
fn many_readers_or_one_writer() {
    let map = RwLock::new(BTreeMap::from([(0, 0)]));
    map.write().unwrap().insert(1, 1); // a writer is alone
    assert_eq!(map.read().unwrap().len(), 2); // many may read at once
}

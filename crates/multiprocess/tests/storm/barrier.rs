//! Barriers: if a participant is killed, the others get its name; then `reset` repairs the barrier.

use multiprocess::{Barrier, BrokenBy, Error, JoinHandle, RegisteredTask, spawn, task};

use super::round::{Round, grow};

pub(crate) fn tasks() -> Vec<RegisteredTask> {
    vec![task(meets), task(meets_a_few_times)]
}

const PARTIES: u32 = 3;

/// Waits for the others until one of them is dead; returns how often, and which one.
fn meets(barrier: Barrier, large: bool) -> (u64, u32) {
    grow(large);
    for meetings in 0.. {
        match barrier.wait_with(std::thread::yield_now) {
            Ok(place) => assert!(place < PARTIES),
            Err(Error::BarrierBroken {
                by: BrokenBy::Death(process),
            }) => return (meetings, process.pid),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("the numbers do not come to an end")
}

fn meets_a_few_times(barrier: Barrier, times: u32) {
    for _ in 0..times {
        barrier.wait().unwrap();
    }
}

pub(crate) fn round(round: &mut Round<'_>) {
    let barrier = Barrier::new(PARTIES).unwrap();
    loop {
        break_it(round, &barrier);
        assert!(barrier.is_broken().unwrap());
        barrier.reset().unwrap();
        assert!(!barrier.is_broken().unwrap());
        let friends = [(); PARTIES as usize]
            .map(|()| spawn(meets_a_few_times, (barrier.clone(), 5)).unwrap());
        for friend in friends {
            round.join(friend);
        }
        if round.is_over() {
            return;
        }
    }
}

/// Kills one of the participants.
fn break_it(round: &mut Round<'_>, barrier: &Barrier) {
    let large = round.is_next_large();
    let mut parties: Vec<_> = (0..PARTIES)
        .map(|place| spawn(meets, (barrier.clone(), large && place == 0)).unwrap())
        .collect();
    let pids: Vec<u32> = parties.iter().map(JoinHandle::pid).collect();
    for _ in 0..round.dice.below(3) {
        round.pause(20_000);
        let pid = pids[round.dice.index(pids.len())];
        round.stop(pid);
    }
    round.pause(20_000);
    let place = if large {
        0
    } else {
        round.dice.index(pids.len())
    };
    let victim = parties.swap_remove(place);
    let killed = victim.pid();
    round.kill(victim);
    let reports: Vec<(u64, u32)> = parties.into_iter().map(|it| round.join(it)).collect();
    assert!(
        reports
            .iter()
            .all(|&(meetings, dead)| (meetings, dead) == (reports[0].0, killed)),
        "{killed} was killed; each reports how often they met, and who is dead: {reports:?}"
    );
}

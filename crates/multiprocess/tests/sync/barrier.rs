//! A barrier: all pass together, and no thread waits for the dead.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use multiprocess::{
    Barrier, BrokenBy, Builder, Error, Event, RawValue, RegisteredTask, Result, init, spawn, task,
};

use story::proc;
use story::scene::Scene;
use story::unread::Unreadable;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![a_waiter_that_signals_wake],
        story::named![
            each_participant_gets_its_order_of_arrival,
            no_thread_passes_before_all_have_arrived_in_many_rounds,
            a_single_participant_never_waits,
            a_timeout_breaks_it_for_all,
            abort_breaks_it_and_reset_repairs_it,
            reset_is_an_error_for_the_waiters,
            a_participant_killed_while_it_waits_breaks_it,
            a_participant_killed_before_it_arrives_breaks_it,
            a_participant_that_dies_before_it_has_the_barrier_breaks_it,
            a_start_that_fails_does_not_break_it,
            a_participant_that_exits_breaks_it,
            a_participant_that_panics_breaks_it,
            a_participant_that_returns_does_not_break_it,
            participants_killed_at_any_instant_leave_no_waiter,
            more_threads_than_parties_pass_or_wait,
            a_surplus_thread_breaks_no_round_when_it_times_out,
            a_death_is_seen_by_a_waiter_that_signals_wake_again_and_again,
            waiting_takes_no_processor_time,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(waits_once),
        task(plays_rounds),
        task(never_arrives),
        task(sends_signals_to_its_parent),
        task(panics),
        task(dies_early),
        task(exits),
        task(waits),
        task(cannot_be_called),
        task(returns),
        task(waits_again_and_again),
        task(waits_for_nothing),
    ]
}

/// What broke the barrier, from the error.
#[track_caller]
pub(super) fn broken_by<T: std::fmt::Debug>(result: Result<T>) -> BrokenBy {
    match result.unwrap_err() {
        Error::BarrierBroken { by } => by,
        error => panic!("{error}"),
    }
}

fn waits_once(barrier: Barrier, came: Event) -> u32 {
    came.set();
    barrier.wait().unwrap()
}

fn each_participant_gets_its_order_of_arrival() {
    let barrier = Barrier::new(3).unwrap();
    assert_eq!((barrier.parties(), barrier.waiting().unwrap()), (3, 0));
    let came = Event::new().unwrap();
    let children: Vec<_> = (0..2)
        .map(|_| spawn(waits_once, (barrier.clone(), came.clone())).unwrap())
        .collect();
    story::until("both wait", || barrier.waiting().unwrap() == 2);
    assert_eq!(barrier.wait().unwrap(), 2);
    let mut places: Vec<u32> = children
        .into_iter()
        .map(|child| child.join().unwrap())
        .collect();
    places.sort_unstable();
    assert_eq!(places, [0, 1]);
    assert_eq!(barrier.waiting().unwrap(), 0);
    assert!(!barrier.is_broken().unwrap());
}

const ROUNDS: u32 = 300;

fn plays_rounds(barrier: Barrier, steps: RawValue<u32>) {
    for round in 1..=ROUNDS {
        steps.update(|count| count + 1);
        barrier.wait().unwrap();
        assert!(steps.get() >= 3 * round);
        barrier.wait().unwrap();
    }
}

fn no_thread_passes_before_all_have_arrived_in_many_rounds() {
    let (barrier, steps) = (Barrier::new(3).unwrap(), RawValue::new(0).unwrap());
    let children: Vec<_> = (0..3)
        .map(|_| spawn(plays_rounds, (barrier.clone(), steps.clone())).unwrap())
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(steps.get(), 3 * ROUNDS);
}

fn a_single_participant_never_waits() {
    for parties in [0, 1] {
        let barrier = Barrier::new(parties).unwrap();
        for _ in 0..100 {
            assert_eq!(barrier.wait().unwrap(), 0);
        }
        assert_eq!(barrier.wait_timeout(Duration::ZERO).unwrap(), 0);
    }
}

fn a_timeout_breaks_it_for_all() {
    let barrier = Barrier::new(3).unwrap();
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| barrier.wait());
        let start = Instant::now();
        let late = barrier.wait_timeout(Duration::from_millis(120));
        assert!(late.unwrap_err().is_timeout());
        assert!(start.elapsed() >= Duration::from_millis(120));
        let broken = patient.join().unwrap().unwrap_err();
        assert!(!broken.is_timeout(), "it was not its own limit: {broken}");
        let by = broken_by(Err::<u32, _>(broken));
        let BrokenBy::Timeout(process) = &by else {
            panic!("{by}");
        };
        assert_eq!(process.pid, std::process::id());
        // And for those that arrive later, without waiting.
        assert_eq!(broken_by(barrier.wait()), by);
    });
    assert!(barrier.is_broken().unwrap());
    barrier.reset().unwrap();
    assert!(!barrier.is_broken().unwrap());
    let late = barrier.wait_timeout(Duration::ZERO);
    assert!(late.unwrap_err().is_timeout());
}

fn abort_breaks_it_and_reset_repairs_it() {
    let barrier = Barrier::new(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait());
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        barrier.abort().unwrap();
        let by = broken_by(waiting.join().unwrap());
        assert!(matches!(by, BrokenBy::Abort(_)), "{by}");
        broken_by(barrier.wait());
        barrier.reset().unwrap();
        let first = scope.spawn(|| barrier.wait());
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        assert_eq!(barrier.wait().unwrap(), 1);
        assert_eq!(first.join().unwrap().unwrap(), 0);
    });
}

fn reset_is_an_error_for_the_waiters() {
    let barrier = Barrier::new(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait());
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        barrier.reset().unwrap();
        assert_eq!(broken_by(waiting.join().unwrap()), BrokenBy::Reset);
    });
    assert_eq!(barrier.waiting().unwrap(), 0);
    assert!(!barrier.is_broken().unwrap());
}

#[track_caller]
pub(super) fn assert_died(by: &BrokenBy, pid: u32) {
    assert!(
        matches!(by, BrokenBy::Death(process) if process.pid == pid),
        "{by}"
    );
}

fn a_participant_killed_while_it_waits_breaks_it() {
    let barrier = Barrier::new(3).unwrap();
    for _ in 0..3 {
        let came = Event::new().unwrap();
        let child = spawn(waits_once, (barrier.clone(), came)).unwrap();
        story::until("it waits", || barrier.waiting().unwrap() == 1);
        proc::kill(child.pid());
        assert_died(&broken_by(barrier.wait()), child.pid());
        assert_died(&broken_by(barrier.wait()), child.pid());
        child.join().unwrap_err();
        barrier.reset().unwrap();
    }
    // The living pass.
    std::thread::scope(|scope| {
        let others = [(); 2].map(|()| scope.spawn(|| barrier.wait().unwrap()));
        barrier.wait().unwrap();
        for other in others {
            other.join().unwrap();
        }
    });
}

fn never_arrives(barrier: Barrier, started: Event) -> bool {
    started.set();
    story::a_minute();
    barrier.is_broken().unwrap()
}

fn a_participant_killed_before_it_arrives_breaks_it() {
    let (barrier, started) = (Barrier::new(2).unwrap(), Event::new().unwrap());
    let child = spawn(never_arrives, (barrier.clone(), started.clone())).unwrap();
    started.wait();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait());
        std::thread::sleep(Duration::from_millis(150));
        assert!(!waiting.is_finished());
        proc::kill(child.pid());
        assert_died(&broken_by(waiting.join().unwrap()), child.pid());
    });
    child.join().unwrap_err();
}

fn dies_early(_: Unreadable, _: Barrier) {}

fn a_participant_that_dies_before_it_has_the_barrier_breaks_it() {
    let (barrier, came) = (Barrier::new(2).unwrap(), Event::new().unwrap());
    let mut waiting = spawn(waits, (barrier.clone(), came.clone())).unwrap();
    came.wait();
    let dead = spawn(dies_early, (Unreadable, barrier)).unwrap();
    // The dead process is neither joined nor polled before.
    let words = waiting.join_timeout(story::LIMIT / 4).unwrap();
    assert!(
        words.contains("died") && words.contains(&dead.pid().to_string()),
        "{words}"
    );
    dead.join().unwrap_err();
}

/// Waits at the barrier, and returns how that ended.
pub(super) fn waits(barrier: Barrier, came: Event) -> String {
    came.set();
    match barrier.wait() {
        Ok(place) => format!("place {place}"),
        Err(error) => error.to_string(),
    }
}

#[derive(serde::Deserialize)]
struct Unsendable;

impl serde::Serialize for Unsendable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("unsendable"))
    }
}

fn cannot_be_called(_: Barrier, _: Unsendable) {}

fn a_start_that_fails_does_not_break_it() {
    let barrier = Barrier::new(1).unwrap();
    let error = spawn(cannot_be_called, (barrier.clone(), Unsendable)).unwrap_err();
    assert!(matches!(error, Error::Encode { .. }), "{error}");
    assert_eq!(barrier.wait().unwrap(), 0);
}

fn exits(barrier: Barrier) {
    assert!(!barrier.is_broken().unwrap());
    std::process::exit(0);
}

fn a_participant_that_exits_breaks_it() {
    let barrier = Barrier::new(2).unwrap();
    let child = spawn(exits, (barrier.clone(),)).unwrap();
    let pid = child.pid();
    child.join().unwrap_err();
    assert_died(&broken_by(barrier.wait()), pid);
}

fn panics(barrier: Barrier) {
    assert!(barrier.is_broken().unwrap(), "on purpose");
}

fn a_participant_that_panics_breaks_it() {
    let barrier = Barrier::new(2).unwrap();
    let child = spawn(panics, (barrier.clone(),)).unwrap();
    let pid = child.pid();
    let by = broken_by(barrier.wait());
    assert!(
        matches!(&by, BrokenBy::Panic(process) if process.pid == pid),
        "{by}"
    );
    assert!(matches!(child.join(), Err(Error::Panicked { .. })));
}

fn returns(barrier: Barrier) -> Barrier {
    barrier
}

fn a_participant_that_returns_does_not_break_it() {
    let barrier = Barrier::new(2).unwrap();
    let back = spawn(returns, (barrier.clone(),)).unwrap().join().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait());
        story::until("it waits", || barrier.waiting().unwrap() == 1);
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(back.wait().unwrap(), 1);
        assert_eq!(waiting.join().unwrap().unwrap(), 0);
    });
}

fn waits_again_and_again(barrier: Barrier, started: Event) {
    started.set();
    while barrier.wait().is_ok() {}
}

fn participants_killed_at_any_instant_leave_no_waiter() {
    let barrier = Barrier::new(2).unwrap();
    for round in 0..15 {
        let started = Event::new().unwrap();
        let child = spawn(waits_again_and_again, (barrier.clone(), started.clone())).unwrap();
        started.wait();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| while barrier.wait().is_ok() {});
            std::thread::sleep(Duration::from_micros(41 * round));
            proc::kill(child.pid());
            other.join().unwrap();
        });
        assert!(barrier.is_broken().unwrap());
        assert_died(&broken_by(barrier.wait()), child.pid());
        child.join().unwrap_err();
        barrier.reset().unwrap();
        assert_eq!(barrier.waiting().unwrap(), 0);
    }
}

/// Nanoseconds for which this thread has had a processor.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Waits for a second; returns the nanoseconds of processor time that it took.
fn waits_for_nothing(barrier: Barrier) -> u64 {
    let before = processor_time();
    let late = barrier.wait_timeout(Duration::from_secs(1));
    assert!(late.unwrap_err().is_timeout());
    processor_time() - before
}

fn more_threads_than_parties_pass_or_wait() {
    // Others may go through any number of rounds before a thread looks how its own ended.
    for (parties, threads) in [(1, 2), (2, 6)] {
        let barrier = Barrier::new(parties).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        match barrier.wait_timeout(Duration::from_secs(1)) {
                            Ok(_) => {}
                            // The last ones are left alone in the end.
                            Err(Error::Timeout { .. } | Error::BarrierBroken { .. })
                                if barrier.is_broken().unwrap() =>
                            {
                                return;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
    }
}

fn a_surplus_thread_breaks_no_round_when_it_times_out() {
    let barrier = Barrier::new(2).unwrap();
    let (begun, end) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| barrier.wait());
        story::until("one waits", || barrier.waiting().unwrap() == 1);
        let last = scope.spawn(|| {
            barrier.wait_with(|| {
                begun.wait();
                end.wait();
            })
        });
        begun.wait();
        let late = barrier.wait_timeout(Duration::from_millis(10)).unwrap_err();
        assert!(
            late.is_timeout() && !late.to_string().contains("broken"),
            "{late}"
        );
        end.wait();
        assert_eq!(first.join().unwrap().unwrap(), 0);
        assert_eq!(last.join().unwrap().unwrap(), 1);
    });
}

fn sends_signals_to_its_parent() {
    let parent = multiprocess::parent().unwrap();
    loop {
        proc::send(parent.pid(), rustix::process::Signal::USR1);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn a_waiter_that_signals_wake() {
    init(tasks());
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, std::sync::Arc::default()).unwrap();
    let (barrier, started) = (Barrier::new(2).unwrap(), Event::new().unwrap());
    let child = spawn(never_arrives, (barrier.clone(), started.clone())).unwrap();
    started.wait();
    let _pest = Builder::new()
        .daemon(true)
        .spawn(sends_signals_to_its_parent, ());
    child.kill().unwrap();
    let broken = barrier.wait_timeout(story::LIMIT / 4).unwrap_err();
    let by_death = matches!(
        broken,
        Error::BarrierBroken {
            by: BrokenBy::Death(_)
        }
    );
    assert!(by_death, "{broken}");
    assert!(child.join().is_err());
}

fn a_death_is_seen_by_a_waiter_that_signals_wake_again_and_again() {
    Scene::new("a_waiter_that_signals_wake").succeed();
}

fn waiting_takes_no_processor_time() {
    let barrier = Barrier::new(2).unwrap();
    let child = spawn(waits_for_nothing, (barrier.clone(),)).unwrap();
    let nanoseconds = child.join().unwrap();
    // The portable version polls five hundred times.
    assert!(nanoseconds < 50_000_000, "{nanoseconds} ns of 1 s");
}

//! The storm: processes that use everything at once are killed and stopped at random instants. Nothing may hang, be
//! wrong, or be left behind.
//!
//! It takes a few seconds. To run it for longer, with a line each minute, and to repeat the same random choices:
//! `STORM_SECONDS=720 STORM_SEED=1 cargo test -p multiprocess-tests --test storm`.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

mod story;

mod storm {
    pub(crate) mod barrier;
    pub(crate) mod condition;
    pub(crate) mod level;
    pub(crate) mod lock;
    pub(crate) mod pipe;
    pub(crate) mod pool;
    pub(crate) mod queue;
    pub(crate) mod round;
    pub(crate) mod semaphore;
    pub(crate) mod watch;
}

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use multiprocess::{RegisteredTask, init, task};

use storm::level::{Left, Level};
use storm::round::{Kind, Play, Storm};
use storm::{barrier, condition, level, lock, pipe, pool, queue, semaphore, watch};

const KINDS: [(&str, Play); 7] = [
    ("queue", queue::round),
    ("lock", lock::round),
    ("barrier", barrier::round),
    ("condition", condition::round),
    ("semaphore", semaphore::round),
    ("pipe", pipe::round),
    ("pool", pool::round),
];

fn tasks() -> Vec<RegisteredTask> {
    let mut all = vec![task(level::comes_and_goes)];
    all.extend(queue::tasks());
    all.extend(lock::tasks());
    all.extend(barrier::tasks());
    all.extend(condition::tasks());
    all.extend(semaphore::tasks());
    all.extend(pipe::tasks());
    all.extend(pool::tasks());
    all
}

fn main() -> ExitCode {
    let Some(seconds) = number("STORM_SECONDS") else {
        return story::play(
            || init(tasks()),
            &[],
            story::named![nothing_hangs_goes_wrong_or_is_left_in_a_storm],
        );
    };
    // Longer than the watchdog allows a test.
    init(tasks());
    rage(Duration::from_secs(seconds));
    ExitCode::SUCCESS
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| {
        panic!("{variable} is a whole number, not {text:?}");
    }))
}

fn nothing_hangs_goes_wrong_or_is_left_in_a_storm() {
    rage(Duration::from_secs(6));
}

fn rage(length: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = number("STORM_SEED").unwrap_or_else(|| u64::from(now.unwrap().subsec_nanos()));
    println!("a storm of {} seconds, STORM_SEED={seed}", length.as_secs());
    let left = Left::before();
    let before = Level::now();
    let asked = std::env::var("STORM_KINDS").ok();
    let is_asked = |name| {
        asked
            .as_ref()
            .is_none_or(|asked| asked.split(',').any(|word| word == name))
    };
    let kinds: Vec<(&str, Play)> = KINDS
        .into_iter()
        .filter(|(name, _)| is_asked(*name))
        .collect();
    let storm = Storm::new(seed, length, &kinds);
    std::thread::scope(|scope| {
        let kinds = storm.kinds.iter().zip(0..);
        let players: Vec<_> = kinds
            .map(|(kind, number)| {
                let storm = &storm;
                scope.spawn(move || play(storm, kind, number))
            })
            .collect();
        scope.spawn(|| watch::over(&storm));
        for player in players {
            player.join().expect("it catches panics");
        }
        storm.over.store(true, Ordering::Relaxed);
    });
    watch::report(&storm, "all in all", Level::now());
    left.check();
    let after = Level::now();
    assert!(
        after.descriptors <= before.descriptors + level::KEPT,
        "open before: {before:?}, after: {after:?}: {:#?}",
        story::proc::descriptors()
    );
}

/// Runs one round of a kind after the other.
fn play(storm: &Storm, kind: &Kind, number: u64) {
    while !storm.is_over() {
        let mut round = storm.round(kind, number);
        let played = catch_unwind(AssertUnwindSafe(|| (kind.round)(&mut round)));
        if played.is_err() {
            watch::fail(storm, kind, "failed");
        }
        kind.rounds.fetch_add(1, Ordering::Relaxed);
    }
    kind.done.store(true, Ordering::Relaxed);
}

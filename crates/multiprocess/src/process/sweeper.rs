//! The thread that frees the shared memory of killed processes, for a while after one was killed: see
//! [`sweep`](crate::memory::sweep).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::memory::{registry, sweep};
use crate::transfer::caught;

struct Sweeper {
    /// The process that has the thread; 0 while there is none.
    process: u32,
    until: Option<Instant>,
}

static SWEEPER: Mutex<Sweeper> = Mutex::new(Sweeper {
    process: 0,
    until: None,
});

/// How long to sweep after a process was killed: its daemons and pool workers end a little later, and a large process
/// on a busy machine takes seconds to end.
const SWEEPING: Duration = Duration::from_secs(10);

/// The pause between two sweeps. A sweep of thousands of slots takes milliseconds, so the pause is also a multiple
/// of that, up to the longest: on a busy machine, a sweep takes long, and what it has to free grows meanwhile.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

fn sweeper() -> MutexGuard<'static, Sweeper> {
    SWEEPER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread, or makes it continue: a process was killed, or ended without cleaning up.
pub(crate) fn start() {
    if registry::list().is_empty() {
        return;
    }
    let mut sweeper = sweeper();
    sweeper.until = Some(Instant::now() + SWEEPING);
    if sweeper.process != std::process::id() {
        let thread = std::thread::Builder::new().name("sweeper".to_owned());
        // Without a thread, the end of the run frees it.
        if thread.spawn(run).is_ok() {
            sweeper.process = std::process::id();
        }
    }
}

fn run() {
    loop {
        let start = Instant::now();
        let left = caught::without_panic(sweep::sweep).unwrap_or_default();
        let pause = (50 * start.elapsed()).clamp(PAUSE, LONGEST_PAUSE);
        let mut sweeper = sweeper();
        if left.orphans || left.unknown {
            let soon = Instant::now() + 2 * pause;
            sweeper.until = sweeper.until.max(Some(soon));
        } else if sweeper.until.is_none_or(|until| start >= until) {
            sweeper.process = 0;
            return;
        }
        drop(sweeper);
        std::thread::sleep(pause);
    }
}

//! What the main process has open at a time, and what is left after a storm.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use multiprocess::{Semaphore, Value, spawn};

use crate::story::{left, proc};

/// Descriptors that the crate opens once and keeps.
pub(crate) const KEPT: usize = 6;

/// What the main process has open.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Level {
    pub(crate) descriptors: usize,
    /// Bytes in memory.
    pub(crate) memory: u64,
}

impl Level {
    pub(crate) fn now() -> Level {
        let statm = fs::read_to_string("/proc/self/statm").expect("/proc can be read");
        let resident = statm.split(' ').nth(1).expect("the second number");
        Level {
            descriptors: proc::descriptors().len(),
            memory: resident.parse::<u64>().expect("a number of pages") * 4096,
        }
    }

    /// Returns the higher of each.
    pub(crate) fn max(self, other: Level) -> Level {
        Level {
            descriptors: self.descriptors.max(other.descriptors),
            memory: self.memory.max(other.memory),
        }
    }
}

/// Checks that the highest levels of the last minute are those of the first, except for the difference between rounds:
/// half as many descriptors more, and a quarter and 32 MiB more memory.
pub(crate) fn check_minutes(minutes: &[Level]) {
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return;
    };
    assert!(
        last.descriptors <= first.descriptors * 3 / 2,
        "descriptors rise: {minutes:?}"
    );
    assert!(
        last.memory <= first.memory * 5 / 4 + (32 << 20),
        "memory rises: {minutes:?}"
    );
}

/// What may be left of the run after a storm: the memory that the main process had before.
pub(crate) struct Left {
    kept: Value<u8>,
    semaphore: Semaphore,
    before: Found,
}

/// What there is of the run.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// Processes, zombies too.
    children: Vec<u32>,
    /// Its slots that are in use.
    slots: Vec<String>,
    /// Its files that aren't chunks.
    files: Vec<PathBuf>,
    chunks: usize,
}

/// A process that registers in the run, and ends normally.
pub(crate) fn comes_and_goes(semaphore: Semaphore) {
    drop(semaphore.acquire().unwrap());
}

impl Left {
    pub(crate) fn before() -> Left {
        let kept = Value::new(0).unwrap();
        let semaphore = Semaphore::new(1).unwrap();
        drop(semaphore.acquire().unwrap());
        let mut left = Left {
            kept,
            semaphore,
            before: Found::default(),
        };
        left.before = left.now();
        // The run with the portable versions may be one now; it ends too.
        left.before.children.clear();
        left
    }

    fn now(&self) -> Found {
        spawn(comes_and_goes, (self.semaphore.clone(),))
            .unwrap()
            .join()
            .unwrap();
        let this = std::process::id();
        let is_chunk = |path: &PathBuf| path.extension().is_none();
        let (chunks, files): (Vec<_>, _) = left::files(this).into_iter().partition(is_chunk);
        let mut slots = left::slots(this);
        slots.sort();
        Found {
            children: proc::children(),
            slots,
            files,
            chunks: chunks.len(),
        }
    }

    /// Checks that within five seconds no process is left, no zombie, no slot and no file. There may be two more chunks:
    /// an empty one, for what the main process makes next, and one with the table of the semaphore for more processes.
    pub(crate) fn check(self) {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let mut now = self.now();
            let chunks = self.before.chunks..=self.before.chunks + 2;
            if chunks.contains(&now.chunks) {
                now.chunks = self.before.chunks;
            }
            if now == self.before {
                break;
            }
            assert!(
                Instant::now() < end,
                "left: {now:#?} instead of {:#?}",
                self.before
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(self.kept);
    }
}

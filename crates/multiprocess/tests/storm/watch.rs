//! The watchdog of the storm: reports progress each minute, and ends the storm when something hangs or is wrong.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::level::{self, Level};
use super::round::{Kind, Storm};
use crate::story::{self, proc};

/// A kind that makes no progress for that long hangs.
const HANG: Duration = Duration::from_secs(story::LIMIT.as_secs() * 3 / 4);

const MINUTE: Duration = Duration::from_mins(1);

/// Watches until all rounds are over.
pub(crate) fn over(storm: &Storm) {
    let mut minutes: Vec<Level> = Vec::new();
    let mut highest = Level::default();
    while !storm.over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(200));
        highest = highest.max(Level::now());
        let past = u32::try_from(minutes.len() + 1).expect("a storm does not last that long");
        if storm.age() >= MINUTE * past {
            report(storm, &format!("minute {past}"), highest);
            minutes.push(std::mem::take(&mut highest));
        }
        for kind in &storm.kinds {
            let silence = storm.silence(kind);
            if silence >= HANG && !kind.done.load(Ordering::Relaxed) {
                fail(storm, kind, &format!("hangs for {silence:?}"));
            }
        }
    }
    level::check_minutes(&minutes);
}

/// Prints a line about the progress.
pub(crate) fn report(storm: &Storm, when: &str, level: Level) {
    let rounds: Vec<String> = storm
        .kinds
        .iter()
        .map(|kind| format!("{} {}", kind.name, kind.rounds.load(Ordering::Relaxed)))
        .collect();
    println!(
        "{when}: rounds: {}; {} kills, {} stops; at most {} descriptors, {} MiB",
        rounds.join(", "),
        storm.kills.load(Ordering::Relaxed),
        storm.stops.load(Ordering::Relaxed),
        level.descriptors,
        level.memory >> 20,
    );
}

/// Reports what is wrong, and ends this program and the processes that it started.
pub(crate) fn fail(storm: &Storm, kind: &Kind, what: &str) -> ! {
    eprintln!(
        "the storm: {} {what} in round {}, after {:?}; STORM_SEED={}",
        kind.name,
        kind.rounds.load(Ordering::Relaxed),
        storm.age(),
        storm.seed
    );
    for child in proc::children() {
        let proc_file =
            |what| fs::read_to_string(format!("/proc/{child}/{what}")).unwrap_or_default();
        // Its id, name and state; where it waits; and the arguments of the call in which it does.
        let stat = proc_file("stat");
        let stat: Vec<&str> = stat.split(' ').take(3).collect();
        eprintln!(
            "{stat:?} {:?} {:?}",
            proc_file("wchan"),
            proc_file("syscall").trim_end()
        );
    }
    for child in proc::children() {
        proc::kill(child);
    }
    std::process::abort();
}

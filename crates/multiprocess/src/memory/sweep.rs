//! The sweep: finds the names that killed processes left, and removes them.
//!
//! A process that uses a segment holds a shared lock on the file of its name, and the header counts the handles in
//! flight. So if a process gets the exclusive lock and no handle is in flight, no process uses the segment or can ever
//! open it again. A process that is about to drop a segment unlocks the file for an instant, to see whether it is the
//! last user. So a name is removed only if it was found unused twice, some time apart.

use std::collections::HashSet;
use std::io::ErrorKind::{NotFound, UnexpectedEof};
use std::mem::offset_of;
use std::os::unix::fs::FileExt;

use crate::memory::layout::Header;
use crate::memory::liveness::{self, ALIVE, ORPHAN, memberships};
use crate::memory::name::{Run, path, remove};
use crate::memory::run_file::{self, Existence};
use crate::memory::{anonymous_file, registry};

/// The segments that the last sweep found unused.
pub(crate) type Suspects = HashSet<String>;

/// Marks this process as an orphan, for the other processes of the run: no parent will notice its end.
pub(crate) fn become_orphan(run: Run) {
    if let Ok(_making) = registry::making() {
        let _ = liveness::mark(run, ORPHAN);
    }
}

/// Removes what killed processes left, in runs that are over and in those that this process belongs to. Returns whether
/// there are orphans in them.
pub(crate) fn sweep(suspects: &mut Suspects) -> bool {
    let names = registry::list();
    registry::clear_dead(&names);
    let before = std::mem::take(suspects);
    let mut has_orphans = false;
    for run in registry::runs() {
        if let Some(names) = names.get(&run) {
            check_again(run, names, &before, suspects);
            has_orphans |= clear_dead_processes(run, names);
        }
    }
    has_orphans
}

/// Removes the segments of a run that were found unused before, and still are.
fn check_again(run: Run, names: &[String], before: &Suspects, suspects: &mut Suspects) {
    for name in names {
        // Names with a suffix are removed together with the one without.
        let is_segment = run.rest(name).is_some_and(|rest| rest.starts_with('-'));
        if !is_segment || name.contains('.') || is_in_flight(name) {
            continue;
        }
        // Checked first, so that a process about to open it doesn't find it locked. With the lock held, no process
        // opens it, and the count of its handles does not change.
        let Some(_alone) = run_file::lock_alone(&path(name)).filter(|_| !is_in_flight(name)) else {
            continue;
        };
        if !before.contains(name) {
            suspects.insert(name.clone());
            continue;
        }
        let companion = format!("{name}.");
        let companions = names.iter().filter(|name| name.starts_with(&companion));
        // The name itself is removed last: until then, no process creates another segment of that name.
        if companions.filter(|name| !remove(name)).count() == 0 {
            remove(name);
        }
    }
}

/// Removes the files of killed processes; returns whether there are orphans.
fn clear_dead_processes(run: Run, names: &[String]) -> bool {
    let mut has_orphans = false;
    for name in names {
        let Some(rest) = run.rest(name).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let path = path(name);
        if rest.starts_with(anonymous_file::VALUE) {
            // The process that has just created it removes it too.
            remove(name);
        } else if rest.starts_with(ALIVE) {
            liveness::remove_if_dead(&path);
        } else if rest.starts_with(ORPHAN) && !memberships().locked.contains_key(&path) {
            has_orphans |= !liveness::remove_if_dead(&path);
        }
    }
    has_orphans
}

/// Returns whether there are handles in flight. An incomplete segment has none.
fn is_in_flight(name: &str) -> bool {
    // Read, not mapped: a page that wasn't reserved could end this process by a signal.
    let mut count = [0; 4];
    let read = run_file::open(&path(name), Existence::Old)
        .and_then(|file| file.read_exact_at(&mut count, offset_of!(Header, in_flight) as u64));
    match read {
        Ok(()) => u32::from_ne_bytes(count) != 0,
        Err(error) => !matches!(error.kind(), NotFound | UnexpectedEof),
    }
}

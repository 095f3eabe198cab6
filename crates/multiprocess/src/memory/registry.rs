//! The run: the processes that share memory with each other, and their files.
//!
//! The system frees the memory of a killed process, but not a name in its list of shared memory. So each name begins
//! with its run, and every process that uses the run's memory holds a lock on the run's *lease*, a file. The system
//! drops the lock when the process ends, however it ends. A process that locks a lease exclusively knows that its run
//! is over, and removes what it left. A run whose lease was removed is over when none of its files is locked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::memory::layout::Pointer;
use crate::memory::liveness::{ALIVE, Membership, Memberships, UniquePid, memberships};
use crate::memory::name::{Run, entries, path, remove};
use crate::memory::run_file::{self, Existence, user};
use crate::platform::file_lock::FileLock;
use crate::platform::wait_until::{Pauses, WaitUntil};

/// Whether this process is leaving its runs, which it does once, at its end.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Read-locked while a thread creates something in a run: other threads keep running while the main thread ends.
static MAKING: RwLock<()> = RwLock::new(());

/// Keeps this process from leaving its runs while the guard lives; returns an error if it is leaving them. A thread
/// must not hold two guards.
pub(crate) fn making() -> io::Result<RwLockReadGuard<'static, ()>> {
    let making = MAKING.read().unwrap_or_else(PoisonError::into_inner);
    check_stays()?;
    Ok(making)
}

fn check_stays() -> io::Result<()> {
    if LEAVING.load(Ordering::SeqCst) {
        return Err(io::Error::other("this process is ending"));
    }
    Ok(())
}

/// Returns the run of this process for its current user, if there is one.
fn own(memberships: &Memberships) -> Option<Run> {
    let mut runs = memberships.iter();
    runs.find(|(_, it)| it.own_of == Some(user()))
        .map(|(run, _)| *run)
}

pub(crate) fn own_run_if_any() -> Option<Run> {
    own(&memberships())
}

/// Returns the run of this process; begins one if there is none.
pub(crate) fn own_run() -> io::Result<Run> {
    let mut memberships = memberships();
    if let Some(own) = own(&memberships) {
        return Ok(own);
    }
    check_stays()?;
    let run = Run::new();
    let lease = run_file::hold(&run.lease(), Existence::New)?;
    let membership = memberships.entry(run).or_default();
    (membership.own_of, membership.lease) = (Some(user()), Some(lease));
    Ok(run)
}

/// Makes this process a part of its parent's run: what it creates will belong to that run too.
pub(crate) fn inherit(run: Run) {
    let _ = become_part(&mut memberships(), run, Some(user()));
}

/// Makes this process a part of a run, and its end visible to the others: the run lasts at least as long as it does.
pub(crate) fn join(run: Run) -> io::Result<()> {
    become_part(&mut memberships(), run, None)?.mark_alive(run)
}

/// Shows the others of a run that this process is a part of it, and has no parent.
pub(super) fn mark_orphan(run: Run) -> io::Result<()> {
    become_part(&mut memberships(), run, Some(user()))?.mark_orphan(run)
}

fn become_part(
    memberships: &mut Memberships,
    run: Run,
    own_of: Option<u32>,
) -> io::Result<&mut Membership> {
    match memberships.entry(run) {
        Entry::Occupied(known) => Ok(known.into_mut()),
        Entry::Vacant(new) => {
            check_stays()?;
            let lease = match run_file::hold(&run.lease(), Existence::Old) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                lease => Some(lease?),
            };
            let membership = new.insert(Membership::default());
            (membership.own_of, membership.lease) = (own_of, lease);
            Ok(membership)
        }
    }
}

pub(crate) fn is_none() -> bool {
    memberships().is_empty()
}

/// Leaves all runs, and removes those that have no other process. Waits up to `limit` for those that still have one.
/// Calls `end` when no thread makes anything more; it returns whether this process has no references.
pub(crate) fn leave(limit: Duration, end: impl FnOnce() -> bool) {
    LEAVING.store(true, Ordering::SeqCst);
    // Creating something takes only a moment; don't wait for a thread that takes longer.
    let (mut pauses, second) = (Pauses::new(), WaitUntil::within(Duration::from_secs(1)));
    while MAKING.try_write().is_err() && pauses.sleep(second) {}
    let has_nothing = end();
    let limit = WaitUntil::within(limit);
    let mut memberships = memberships();
    for (run, mut membership) in std::mem::take(&mut *memberships) {
        if let Some(lease) = membership.lease.take() {
            // A copy made by `fork` shares the open file.
            let _ = lease.unlock();
        }
        if has_nothing {
            // Otherwise it stays, until the references are released after the end of this process.
            let _ = fs::remove_file(UniquePid::own().file(run, ALIVE));
        }
        let mut pauses = Pauses::new();
        loop {
            if !run.lease().exists() {
                membership.unmark();
            }
            if clear_if_over(run) || !pauses.sleep(limit) {
                break;
            }
        }
        // What still marks it does so until its end.
        std::mem::forget(membership);
    }
}

/// Returns whether a child that has ended left references: a process without any removes its file at its end.
pub(crate) fn has_left_references(child: UniquePid) -> bool {
    runs().iter().any(|run| child.file(*run, ALIVE).exists())
}

/// Returns the portable version of a lock in a slot. The file for all of them stays open, since the system would release
/// the locks when this process closes it.
pub(super) fn file_lock(run: Run, slot: Pointer, which: usize) -> io::Result<FileLock> {
    static FILES: Mutex<BTreeMap<Run, Arc<File>>> = Mutex::new(BTreeMap::new());
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let file = match files.entry(run) {
        Entry::Occupied(file) => file.into_mut(),
        Entry::Vacant(none) => {
            let file = run_file::open(&run.file("locks"), Existence::Either)?;
            none.insert(Arc::new(file))
        }
    };
    let byte = slot.number() << 2 | which as u64;
    Ok(FileLock::new(Arc::clone(file), byte))
}

pub(super) fn runs() -> Vec<Run> {
    memberships().keys().copied().collect()
}

/// Returns the lease of this process's run, which a child holds from its start.
pub(crate) fn lease() -> Option<OwnedFd> {
    let memberships = memberships();
    let lease = memberships.get(&own(&memberships)?)?.lease.as_ref()?;
    lease.try_clone().ok().map(OwnedFd::from)
}

/// The names in the folder, by run.
pub(crate) type Names = BTreeMap<Run, Vec<String>>;

pub(crate) fn list() -> Names {
    let (user, mut names) = (user(), Names::new());
    // A name that another user made belongs to no run of this one's.
    let is_own = |found: fs::Metadata| found.is_file() && found.uid() == user;
    for (name, entry) in entries() {
        if let Some(run) = Run::of(&name)
            && entry.metadata().is_ok_and(is_own)
        {
            names.entry(run).or_default().push(name);
        }
    }
    names
}

/// Removes the files of runs that ended without removing them.
pub(crate) fn clear_dead_runs() {
    clear_dead(&list());
}

pub(super) fn clear_dead(names: &Names) {
    let own = runs();
    for run in names.keys().filter(|run| !own.contains(run)) {
        clear_if_over(*run);
    }
}

/// Removes the files of a run if it is over; false if others are a part of it.
fn clear_if_over(run: Run) -> bool {
    let path = run.lease();
    let lease = run_file::lock_alone(&path);
    if lease.is_none() && path.exists() {
        return false;
    }
    // Listed only now: until it was locked, processes could create something.
    let mut others = list().remove(&run).unwrap_or_default();
    others.retain(|name| !path.ends_with(name));
    // As long as the lease exists, later sweeps try again to remove what this one can't.
    if (lease.is_some() || are_unused(&others))
        && others.iter().filter(|name| !remove(name)).count() == 0
    {
        let _ = fs::remove_file(path);
    }
    true
}

/// Returns whether a run whose lease is gone is over: a process that belongs to it and has created or opened something
/// keeps its own file locked. Without any such file, that is unknown: they may have been removed too.
fn are_unused(names: &[String]) -> bool {
    let is_process = |name: &String| name.contains(&format!(".{ALIVE}"));
    let is_free = |name: &String| {
        let path = path(name);
        run_file::lock_alone(&path).is_some() || !path.exists()
    };
    names.iter().any(is_process) && names.iter().all(is_free)
}

#[cfg(test)]
mod tests {
    use super::{clear_dead, list};
    use crate::memory::name::Run;
    use crate::memory::run_file::{Existence, hold};

    #[test]
    fn what_a_run_made_after_it_was_listed_is_cleared_away_with_it() {
        let run = Run::new();
        let lease = hold(&run.lease(), Existence::New).unwrap();
        let listed = list();
        let made = run.file("x");
        drop((hold(&made, Existence::New).unwrap(), lease));
        clear_dead(&listed);
        assert!(!run.lease().exists() && !made.exists());
    }
}

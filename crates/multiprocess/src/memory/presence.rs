//! Whether a process that is written down in shared memory is still there.
//!
//! A process that takes something others wait for (a permit, a place at a barrier) makes a file in the run's folder
//! and locks it, shared. The system drops the lock when the process has ended, however it ended, and only after its last
//! thread has stopped. So whoever can lock it alone knows that the process is gone; its pid alone would not say
//! it, because a later process may get the same one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::errors::holder::Holder;
use crate::memory::{anonymous_file, registry};

/// A process, as a number that no other process of the run gets: its pid, and 32 bits more. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presence(u64);

/// The file of this process in the folder of a run.
struct Own {
    folder: PathBuf,
    presence: Presence,
    _locked: File,
}

static OWN: Mutex<Vec<Own>> = Mutex::new(Vec::new());

fn all_own() -> MutexGuard<'static, Vec<Own>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

const PREFIX: &str = "alive-";

/// With that begins the name of the file of a process whose parent was killed.
const ORPHAN: &str = "orphan-";

static OWN_ORPHAN: Mutex<Option<(PathBuf, File)>> = Mutex::new(None);

/// Says to the other processes of the run that this one's parent is gone, so that nobody will learn of its end.
pub(crate) fn become_orphan(folder: &Path) {
    let Ok(_making) = registry::making() else {
        return;
    };
    let path = folder.join(format!("{ORPHAN}{:x}", std::process::id()));
    let mut how = OpenOptions::new();
    how.read(true).write(true).create(true).mode(0o600);
    // Where it is not found, it was removed before it was locked.
    let file = (0..10).find_map(|_| registry::hold(&path, &how).ok());
    let mut own = OWN_ORPHAN.lock().unwrap_or_else(PoisonError::into_inner);
    *own = file.map(|file| (path, file));
}

/// Whether there is a process of the run, other than this, whose parent is gone.
fn has_orphans(folder: &Path) -> bool {
    let own = format!("{ORPHAN}{:x}", std::process::id());
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            entry.file_name().to_str().is_some_and(|name| {
                name.starts_with(ORPHAN) && name != own && !is_free(&entry.path())
            })
        })
}

/// Removes the files of killed processes; true if there are processes of whose end nobody will learn.
pub(crate) fn sweep(folder: &Path) -> bool {
    let orphans = has_orphans(folder);
    clear_dead(folder);
    orphans
}

impl Presence {
    /// This process, as others in the run of that folder know it.
    pub(crate) fn own(folder: &Path) -> io::Result<Presence> {
        let mut all = all_own();
        if let Some(own) = all.iter().find(|own| own.folder == folder) {
            return Ok(own.presence);
        }
        let _making = registry::making()?;
        clear_dead(folder);
        let (presence, locked) = make(folder)?;
        all.push(Own {
            folder: folder.to_owned(),
            presence,
            _locked: locked,
        });
        Ok(presence)
    }

    /// The number as it stands in shared memory; `None` where it is 0, and nobody.
    pub(crate) fn from_number(number: u64) -> Option<Presence> {
        (number != 0).then_some(Presence(number))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    pub(crate) fn pid(self) -> u32 {
        u32::try_from(self.0 >> 32).expect("the upper half")
    }

    /// The process, with its name if it still has one.
    pub(crate) fn holder(self) -> Holder {
        Holder::of(self.pid())
    }

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("{PREFIX}{:x}", self.0))
    }

    /// Whether the process is gone. Where it cannot be told at the moment, it is not.
    pub(crate) fn is_gone(self, folder: &Path) -> bool {
        is_free(&self.file(folder))
    }
}

/// Whether nobody has the file locked. Two who ask at the same moment may both hear that somebody has.
fn is_free(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn make(folder: &Path) -> io::Result<(Presence, File)> {
    let mut more = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .subsec_nanos();
    loop {
        let presence = Presence(u64::from(std::process::id()) << 32 | u64::from(more));
        match make_file(&presence.file(folder)) {
            Ok(locked) => return Ok((presence, locked)),
            // Taken, or removed by somebody who saw it before it was locked.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
        more = more.wrapping_add(1);
    }
}

fn make_file(path: &Path) -> io::Result<File> {
    let mut how = OpenOptions::new();
    how.read(true).write(true).create_new(true).mode(0o600);
    registry::hold(path, &how)
}

/// Removes the files of processes that were killed.
fn clear_dead(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(PREFIX) || name.starts_with(ORPHAN) {
            remove_if_free(&entry.path());
        } else if name.starts_with(anonymous_file::VALUE) {
            // Whoever has just made it removes it too.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn remove_if_free(path: &Path) {
    // Locked until it is removed: one who has just made it waits for the lock, finds it gone, and makes another.
    if let Ok(file) = File::open(path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(path);
    }
}

/// Removes the files of this process, which is about to end.
pub(crate) fn leave() {
    for own in all_own().drain(..) {
        let _ = fs::remove_file(own.presence.file(&own.folder));
    }
    let orphan = OWN_ORPHAN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some((path, _locked)) = orphan {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::{make_file, remove_if_free};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn who_has_just_come_is_not_cleared_away_with_the_dead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alive-1");
        let done = AtomicBool::new(false);
        let mut came = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    remove_if_free(&path);
                }
            });
            let mut all_stay = true;
            for _ in 0..20_000 {
                // An error says that it was removed before it was locked, or is not removed yet.
                if let Ok(locked) = make_file(&path) {
                    std::thread::sleep(Duration::from_micros(20));
                    all_stay &= path.exists();
                    came += 1;
                    drop(locked);
                }
            }
            done.store(true, Ordering::Relaxed);
            assert!(all_stay, "one was removed after it had been locked");
        });
        assert!(came > 0, "none came");
    }
}

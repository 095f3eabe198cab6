//! The segments of killed processes: found by the names in the folder of a run, and removed.
//!
//! A process that uses a segment has the file of its name locked, shared, so whoever can lock it alone knows that
//! nobody uses the segment; and while handles to it are on their way, the header says so. Then nobody can ever open it
//! again. A process that is about to drop a segment unlocks the file for an instant, to see whether it is the last
//! user. So a name is removed only when it was found unused twice, some time apart.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use crate::memory::name::{SegmentName, remove};
use crate::memory::{presence, registry};

/// What was found unused when it was looked at last.
#[derive(Default)]
pub(crate) struct Suspects(HashSet<PathBuf>);

/// Removes what killed processes left: of runs that are over, and of those that this process is a part of. True if there
/// are processes in them of whose end nobody will learn.
pub(crate) fn sweep(suspects: &mut Suspects) -> bool {
    registry::clear_dead_runs();
    let folders = registry::folders();
    suspects.look_again(&folders);
    folders
        .iter()
        .fold(false, |orphans, folder| presence::sweep(folder) | orphans)
}

impl Suspects {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks through the folders of runs, and removes what was found unused before and still is.
    pub(crate) fn look_again(&mut self, folders: &[PathBuf]) {
        let before = std::mem::take(&mut self.0);
        for folder in folders {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                // Names with a suffix go together with the one without.
                let name = name
                    .to_str()
                    .filter(|name| name.starts_with("mp-") && !name.contains('.'));
                if let Some(name) = name {
                    self.look_at(folder, name, &before);
                }
            }
        }
    }

    fn look_at(&mut self, folder: &Path, name: &str, before: &HashSet<PathBuf>) {
        let place = SegmentName {
            folder: folder.to_owned(),
            name: name.to_owned(),
        };
        let path = place.users();
        // Asked first, so that nobody who is about to open it finds it locked.
        if is_on_its_way(&place) {
            return;
        }
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else {
            return;
        };
        // With the lock, nobody opens it, and the count of its handles does not change.
        if file.try_lock().is_err() || !registry::is_at(&file, &path) || is_on_its_way(&place) {
            return;
        }
        if !before.contains(&path) {
            self.0.insert(path);
            return;
        }
        // The name itself goes last, as ever: until then nobody makes another segment of that name.
        if remove(name) {
            place.forget_companions();
            place.forget();
        }
    }
}

/// Whether there are handles on their way to a process. What was not made wholly has none.
#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
fn is_on_its_way(place: &SegmentName) -> bool {
    use std::mem::offset_of;
    use std::os::unix::fs::FileExt;

    use crate::memory::layout::Header;

    // Read, not mapped: to touch a page that was not set aside could end this process by a signal.
    let mut count = [0; 4];
    let read = fs::File::open(Path::new("/dev/shm").join(&place.name))
        .and_then(|file| file.read_exact_at(&mut count, offset_of!(Header, in_flight) as u64));
    match read {
        Ok(()) => u32::from_ne_bytes(count) != 0,
        Err(error) => !matches!(
            error.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof
        ),
    }
}

#[cfg(not(all(target_os = "linux", not(multiprocess_twins))))]
fn is_on_its_way(place: &SegmentName) -> bool {
    crate::memory::segment::Segment::in_flight_at(place) != 0
}

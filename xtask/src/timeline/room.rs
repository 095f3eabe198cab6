//! Room for a recording: a folder that is there while this is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A folder for a recording, beside the lesson's programs. It is removed at the end; what was left by an `xtask` that was
/// killed is removed by the next that takes the same place.
#[derive(Debug)]
pub(crate) struct Room {
    folder: PathBuf,
    /// Locked as long as the place is taken.
    _lock: File,
}

impl Room {
    /// Takes the first place that nobody has.
    pub(crate) fn within(all: &Path) -> anyhow::Result<Room> {
        const PLACES: u32 = 1000;
        let cannot_be_made = || format!("{} cannot be made", all.display());
        fs::create_dir_all(all).with_context(cannot_be_made)?;
        for place in 1..=PLACES {
            let lock = all.join(format!("{place}.lock"));
            let lock = OpenOptions::new().create(true).append(true).open(lock);
            let lock = lock.with_context(cannot_be_made)?;
            if lock.try_lock().is_err() {
                continue;
            }
            let folder = all.join(place.to_string());
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(cannot_be_made);
                }
                _ => {}
            }
            fs::create_dir(&folder).with_context(cannot_be_made)?;
            return Ok(Room {
                folder,
                _lock: lock,
            });
        }
        bail!("all {PLACES} places in {} are taken", all.display())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Where it fails, the next one that takes this place tries again.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::Room;
    use std::fs;

    #[test]
    fn a_room_is_nobody_elses_and_gone_at_the_end() {
        let target = tempfile::tempdir().unwrap();
        let all = target.path().join("recordings");
        let (one, other) = (Room::within(&all).unwrap(), Room::within(&all).unwrap());
        assert_ne!(one.folder(), other.folder());
        let left = one.folder().to_owned();
        fs::write(left.join("7-5.jsonl"), "").unwrap();
        drop(one);
        assert!(!left.exists());
    }

    #[test]
    fn what_a_killed_program_left_is_cleared() {
        let target = tempfile::tempdir().unwrap();
        let left = target.path().join("recordings/1/7-5.jsonl");
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        fs::write(&left, "").unwrap();
        let room = Room::within(&target.path().join("recordings")).unwrap();
        assert!(room.folder().ends_with("recordings/1") && !left.exists());
    }
}

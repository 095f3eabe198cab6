use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{mem, process};

use anyhow::Context;

use super::place::Place;

/// How the name of every staging folder begins.
const PREFIX: &str = ".cargo-xtask-copy-";

const LOCK: &str = "lock";

/// What is moved last into a folder that is there already: without it there is no project.
const MANIFEST: &str = "Cargo.toml";

/// A folder beside the place, where the project is made ready before it is moved there in one go.
///
/// It is removed when this is dropped. This process holds a lock on a file in it; the system drops
/// the lock however the process ends, so a folder whose lock is free is that of a killed copy.
#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    lock: Option<File>,
}

impl Staging {
    /// Makes a staging folder: beside an empty folder that the project can replace, or else in the
    /// folder that is there.
    pub(super) fn begin(place: &Place) -> io::Result<Self> {
        if place.missing.is_empty()
            && let Some(beside) = place.anchor.parent()
            && let Ok(staging) = Self::begin_in(beside)
            && platform::can_replace(&place.anchor, &staging.folder)
        {
            return Ok(staging);
        }
        Self::begin_in(&place.anchor)
    }

    fn begin_in(anchor: &Path) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let name = format!("{PREFIX}{}-{attempt}", process::id());
            attempt += 1;
            let folder = anchor.join(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 100 => continue,
                made => made?,
            }
            let mut staging = Self { folder, lock: None };
            staging.lock = lock(&staging.folder);
            // Without a lock, somebody took it for that of a killed copy before it was locked.
            if staging.lock.is_some() || attempt == 100 {
                return Ok(staging);
            }
        }
    }

    /// Gives the folder to make the project in. It has to be made itself.
    pub(super) fn project(&self, place: &Place) -> PathBuf {
        self.top().join(place.below())
    }

    fn top(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// Moves the project to its place. When that fails nothing of it is there.
    pub(super) fn publish(self, place: &Place) -> anyhow::Result<()> {
        let top = self.top();
        if let Some(first) = place.missing.first() {
            let target = place.anchor.join(first);
            // Over a folder that somebody has filled meanwhile, this fails.
            return fs::rename(top.join(first), &target)
                .with_context(|| format!("{} cannot be made", target.display()));
        }
        let is_beside = !self.folder.starts_with(&place.anchor);
        if is_beside && replace(&place.anchor, &top).is_ok() {
            return Ok(());
        }
        let mut moved: Vec<PathBuf> = Vec::new();
        for name in names_manifest_last(&top)? {
            let target = place.anchor.join(&name);
            let result = if target.symlink_metadata().is_ok() {
                Err(io::Error::from(ErrorKind::AlreadyExists))
            } else {
                fs::rename(top.join(&name), &target)
            };
            if let Err(error) = result {
                for target in &moved {
                    let back = target.file_name().map(|name| top.join(name));
                    // If even that fails there is nobody who could mend it but the user, who is told.
                    let _ = back.map(|back| fs::rename(target, back));
                }
                return Err(error).with_context(|| format!("{} cannot be made", target.display()));
            }
            moved.push(target);
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Where open files cannot be removed, it must be closed first.
        drop(mem::take(&mut self.lock));
        // What cannot be removed now, the next copy tries to clear away.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Clears away the staging folders of killed copies.
pub(super) fn clear_dead(anchor: &Path) {
    for entry in fs::read_dir(anchor).into_iter().flatten().flatten() {
        let is_staging = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_staging && let Some(lock) = lock(&entry.path()) {
            drop(lock);
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Locks a staging folder, unless somebody else has it locked or it is gone.
fn lock(folder: &Path) -> Option<File> {
    let path = folder.join(LOCK);
    let how = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .clone();
    let file = how.open(&path).ok()?;
    file.try_lock().ok()?;
    path.exists().then_some(file)
}

/// Puts a folder in the place of an empty one, whose permissions it gets. Where the other is not empty,
/// this fails.
fn replace(empty: &Path, folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::metadata(empty)?.permissions())?;
    fs::rename(folder, empty)
}

#[cfg(unix)]
mod platform {
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::{env, fs};

    /// Tells whether `made`, a folder that was just made, could take the place of another without
    /// anybody seeing a difference.
    pub(super) fn can_replace(empty: &Path, made: &Path) -> bool {
        // Whoever is in a folder that is replaced is in none.
        let is_here = env::current_dir().is_ok_and(|here| here.starts_with(empty));
        let (Ok(empty), Ok(made)) = (fs::metadata(empty), fs::metadata(made)) else {
            return false;
        };
        let key = |folder: &fs::Metadata| (folder.dev(), folder.uid(), folder.gid());
        let can_be_written = empty.mode() & 0o700 == 0o700;
        !is_here && can_be_written && key(&empty) == key(&made)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::path::Path;

    /// No folder can be replaced by another in one go.
    pub(super) fn can_replace(_: &Path, _: &Path) -> bool {
        false
    }
}

fn names_manifest_last(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort_by_key(|name| name == MANIFEST);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{PREFIX, Staging, clear_dead};
    use crate::copy::place::Place;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Makes a project of two files ready for `dir`.
    fn ready(dir: &Path) -> (Place, Staging) {
        let place = Place::find(dir).unwrap();
        let staging = Staging::begin(&place).unwrap();
        fill(&staging.project(&place));
        (place, staging)
    }

    fn fill(project: &Path) {
        fs::create_dir_all(project).unwrap();
        fs::write(project.join("Cargo.toml"), "new").unwrap();
        fs::write(project.join("README.md"), "new").unwrap();
    }

    #[test]
    fn a_project_appears_whole_and_the_staging_folder_goes() {
        let folder = folder();
        for dir in ["new", "one/two/three"] {
            let dir = folder.path().join(dir);
            let (place, staging) = ready(&dir);
            assert!(!dir.exists());
            staging.publish(&place).unwrap();
            assert_eq!(names(&dir), ["Cargo.toml", "README.md"]);
        }
        assert_eq!(names(folder.path()), ["new", "one"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_empty_folder_is_replaced_in_one_go_by_one_that_looks_like_it() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};

        let folder = folder();
        let dir = folder.path().join("mine");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
        let (place, staging) = ready(&dir);
        assert_eq!(names(&dir), [""; 0], "the staging folder is beside it");
        let made = fs::metadata(staging.project(&place)).unwrap().ino();
        staging.publish(&place).unwrap();
        let found = fs::metadata(&dir).unwrap();
        assert_eq!((found.ino(), found.mode() & 0o777), (made, 0o750));
        assert_eq!(names(&dir), ["Cargo.toml", "README.md"]);
        assert_eq!(names(folder.path()), ["mine"]);
    }

    #[test]
    fn an_empty_folder_that_cannot_be_replaced_is_filled() {
        let folder = folder();
        let place = Place::find(folder.path()).unwrap();
        let staging = Staging::begin_in(&place.anchor).unwrap();
        fill(&staging.project(&place));
        staging.publish(&place).unwrap();
        assert_eq!(names(folder.path()), ["Cargo.toml", "README.md"]);
    }

    #[test]
    fn what_is_not_published_leaves_nothing() {
        let folder = folder();
        drop(ready(&folder.path().join("one/two")));
        assert_eq!(names(folder.path()), [""; 0]);
        let dir = folder.path().join("empty");
        fs::create_dir(&dir).unwrap();
        drop(ready(&dir));
        assert_eq!(names(folder.path()), ["empty"]);
        assert_eq!(names(&dir), [""; 0]);
    }

    #[test]
    fn what_somebody_made_meanwhile_is_not_overwritten() {
        let folder = folder();
        let dir = folder.path().join("new");
        let (place, staging) = ready(&dir);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("Cargo.toml"), "theirs").unwrap();
        staging.publish(&place).unwrap_err();
        assert_eq!(names(folder.path()), ["new"]);
        assert_eq!(names(&dir), ["Cargo.toml"]);

        fs::remove_file(dir.join("Cargo.toml")).unwrap();
        let (place, staging) = ready(&dir);
        fs::write(dir.join("Cargo.toml"), "theirs").unwrap();
        staging.publish(&place).unwrap_err();
        assert_eq!(names(&dir), ["Cargo.toml"], "what was moved is moved back");
        assert_eq!(
            fs::read_to_string(dir.join("Cargo.toml")).unwrap(),
            "theirs"
        );
    }

    #[test]
    fn what_a_killed_copy_left_is_cleared_and_a_living_one_is_left_alone() {
        let folder = folder();
        let dead = folder.path().join(format!("{PREFIX}1-0"));
        fs::create_dir_all(dead.join("project")).unwrap();
        let living = Staging::begin_in(folder.path()).unwrap();
        clear_dead(folder.path());
        assert!(!dead.exists());
        assert!(living.folder.exists());
    }
}

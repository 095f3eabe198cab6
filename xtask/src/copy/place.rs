use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::staging;
use course::misuse::Misuse;

/// Where the copy goes.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// The folder that is there already.
    pub(super) anchor: PathBuf,
    /// The folders that are to be made in it, one in the other. None means that `anchor` is the
    /// place itself, and empty.
    pub(super) missing: Vec<OsString>,
}

impl Place {
    /// Looks whether a project can be put into `dir`: it must not be there, or be an empty folder.
    pub(super) fn find(dir: &Path) -> anyhow::Result<Self> {
        let shown = dir.display();
        let mut at = std::path::absolute(dir)
            .map_err(|error| Misuse(format!("`{shown}` is no path: {error}")))?;
        let mut missing = Vec::new();
        // What is not there, from the end up to the first folder that is.
        while let Err(error) = fs::symlink_metadata(&at) {
            match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {}
                _ => {
                    return Err(error)
                        .with_context(|| format!("{} cannot be looked at", at.display()));
                }
            }
            let Some(name) = at.file_name() else {
                let message = format!("`{shown}` leads through a folder that is not there");
                return Err(Misuse(message).into());
            };
            missing.push(name.to_owned());
            at.pop();
        }
        missing.reverse();
        let Ok(found) = fs::metadata(&at) else {
            let message = format!(
                "{} is a symbolic link that leads nowhere: remove it, or choose another folder",
                at.display()
            );
            return Err(Misuse(message).into());
        };
        if !found.is_dir() {
            let message = format!(
                "{} is a file, not a folder: choose another folder",
                at.display()
            );
            return Err(Misuse(message).into());
        }
        let anchor = fs::canonicalize(&at)
            .with_context(|| format!("{} cannot be looked at", at.display()))?;
        let place = Self { anchor, missing };
        staging::clear_dead(&place.anchor);
        if place.missing.is_empty() {
            if let Some(beside) = place.anchor.parent() {
                staging::clear_dead(beside);
            }
            place.refuse_unless_empty(dir)?;
        }
        Ok(place)
    }

    /// Gives the folder that the project will be in.
    pub(super) fn folder(&self) -> PathBuf {
        self.anchor.join(self.below())
    }

    /// Gives the path of the project below the anchor.
    pub(super) fn below(&self) -> PathBuf {
        self.missing.iter().collect()
    }

    fn refuse_unless_empty(&self, dir: &Path) -> anyhow::Result<()> {
        let entries = fs::read_dir(&self.anchor)
            .with_context(|| format!("{} cannot be looked at", dir.display()))?;
        let Some(entry) = entries.flatten().next() else {
            return Ok(());
        };
        let message = format!(
            "{} is not empty, it has {} in it, and nothing is overwritten: choose a folder that is \
             not there, or an empty one",
            dir.display(),
            entry.file_name().display()
        );
        Err(Misuse(message).into())
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn refusal(dir: &Path) -> String {
        Place::find(dir).unwrap_err().to_string()
    }

    #[test]
    fn folders_that_are_not_there_will_be_made() {
        let folder = folder();
        let anchor = fs::canonicalize(folder.path()).unwrap();
        let place = Place::find(&folder.path().join("a b/c")).unwrap();
        assert_eq!(place.missing, ["a b", "c"]);
        assert_eq!(place.folder(), anchor.join("a b/c"));
        assert_eq!(place.anchor, anchor);
        assert!(!folder.path().join("a b").exists(), "only looked at");
    }

    #[test]
    fn an_empty_folder_is_taken_as_it_is() {
        let folder = folder();
        let place = Place::find(folder.path()).unwrap();
        assert_eq!(place.missing, [""; 0]);
        assert_eq!(place.folder(), fs::canonicalize(folder.path()).unwrap());
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let folder = folder();
        fs::write(folder.path().join("notes"), "mine").unwrap();
        let refusal = refusal(folder.path());
        assert!(
            refusal.contains("is not empty, it has notes in it"),
            "{refusal}"
        );
    }

    #[test]
    fn a_file_is_refused_and_a_folder_in_a_file_too() {
        let folder = folder();
        let file = folder.path().join("notes");
        fs::write(&file, "mine").unwrap();
        for dir in [file.clone(), file.join("pool/more")] {
            let refusal = refusal(&dir);
            assert!(
                refusal.contains("notes is a file, not a folder"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_way_through_what_is_not_there_is_refused() {
        let folder = folder();
        let refusal = refusal(&folder.path().join("a/../b"));
        assert!(refusal.contains("leads through a folder"), "{refusal}");
        let place = Place::find(&folder.path().join("../new-of-this-test")).unwrap();
        assert_eq!(place.missing, ["new-of-this-test"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_refused_and_one_to_an_empty_folder_is_not() {
        use std::os::unix::fs::symlink;

        let folder = folder();
        let link = folder.path().join("link");
        symlink("nowhere", &link).unwrap();
        let refusal = refusal(&link);
        assert!(refusal.contains("leads nowhere"), "{refusal}");
        let empty = folder.path().join("nowhere");
        fs::create_dir(&empty).unwrap();
        let place = Place::find(&link).unwrap();
        assert_eq!(place.folder(), fs::canonicalize(empty).unwrap());
    }
}

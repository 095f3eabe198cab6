use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A book in the making, beside the place that it is for: a run that is cut short leaves there what
/// was there before.
#[derive(Debug)]
pub(super) struct Edition {
    place: PathBuf,
    /// The folder beside the place. It goes when this is dropped.
    workshop: PathBuf,
}

impl Edition {
    /// Begins a book for that place, and clears what a killed run has left beside it.
    pub(super) fn begin(place: &Path) -> anyhow::Result<Self> {
        // Where a link leads, the book is to be.
        let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let name = place.file_name();
        let name = name.with_context(|| format!("{} has no name", place.display()))?;
        let mut beside = OsString::from(".cargo-xtask-book-");
        beside.push(name);
        let workshop = place.with_file_name(beside);
        match fs::remove_dir_all(&workshop) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&workshop),
        }
        .with_context(|| format!("{} cannot be made anew", workshop.display()))?;
        Ok(Self { place, workshop })
    }

    /// Gives the folder to make the book in.
    pub(super) fn folder(&self) -> PathBuf {
        self.workshop.join("new")
    }

    /// Moves the book to its place, and gives that. What was there before goes only if that works.
    pub(super) fn publish(self) -> anyhow::Result<PathBuf> {
        let old = self.workshop.join("old");
        let moved = match fs::rename(&self.place, &old) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::rename(self.folder(), &self.place).inspect_err(|_| {
                // The first error is the one to tell.
                let _ = fs::rename(&old, &self.place);
            }),
        };
        moved.with_context(|| format!("{} cannot be replaced", self.place.display()))?;
        Ok(self.place.clone())
    }
}

impl Drop for Edition {
    fn drop(&mut self) {
        // What cannot be removed now, the next run tries to clear away.
        let _ = fs::remove_dir_all(&self.workshop);
    }
}

#[cfg(test)]
mod tests {
    use super::Edition;
    use std::fs;
    use std::path::Path;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn write(edition: &Edition, page: &str) {
        fs::create_dir(edition.folder()).unwrap();
        fs::write(edition.folder().join(page), "").unwrap();
    }

    #[test]
    fn a_book_takes_the_place_of_the_old_one_as_a_whole() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("one/book");
        for page in ["a.html", "b.html"] {
            let edition = Edition::begin(&place).unwrap();
            write(&edition, page);
            edition.publish().unwrap();
            assert_eq!(names(&place), [page]);
            assert_eq!(names(&root.path().join("one")), ["book"]);
        }
    }

    #[test]
    fn a_book_that_is_not_published_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("book");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("old.html"), "").unwrap();
        write(&Edition::begin(&place).unwrap(), "new.html");
        // Nothing was made, so there is nothing to move.
        Edition::begin(&place).unwrap().publish().unwrap_err();
        assert_eq!(names(&place), ["old.html"]);
        assert_eq!(names(root.path()), ["book"]);
    }

    #[test]
    fn what_a_killed_run_has_left_is_cleared() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("book");
        let killed = Edition::begin(&place).unwrap();
        write(&killed, "half.html");
        std::mem::forget(killed);
        let edition = Edition::begin(&place).unwrap();
        write(&edition, "whole.html");
        edition.publish().unwrap();
        assert_eq!(names(&place), ["whole.html"]);
        assert_eq!(names(root.path()), ["book"]);
    }
}

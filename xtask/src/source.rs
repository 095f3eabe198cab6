use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::course::Lesson;

/// A file with its text.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path, relative to the root of the checkout.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// The programs of a lesson.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) rust: Vec<Source>,
    pub(crate) python: Option<Source>,
}

impl Source {
    /// Reads a file, if it is there and is text.
    pub(crate) fn read(root: &Path, path: PathBuf) -> Option<Self> {
        let text = fs::read_to_string(root.join(&path)).ok()?;
        Some(Self { path, text })
    }
}

impl Sources {
    /// Reads the Rust files and the Python counterpart of a lesson.
    pub(crate) fn read(root: &Path, lesson: &Lesson) -> anyhow::Result<Self> {
        let folder = lesson.folder.strip_prefix(root)?;
        let mut rust = Vec::new();
        add_rust(root, &folder.join("src"), &mut rust)?;
        rust.sort_by(|one, other| one.path.cmp(&other.path));
        let python = Source::read(root, folder.join(format!("{}.py", lesson.name)));
        Ok(Self { rust, python })
    }
}

fn add_rust(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let place = root.join(folder);
    if !place.is_dir() {
        return Ok(());
    }
    let entries =
        fs::read_dir(&place).with_context(|| format!("{} cannot be read", place.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            add_rust(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.extend(Source::read(root, path));
        }
    }
    Ok(())
}

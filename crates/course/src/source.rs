use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::Lesson;

/// A file with its text.
#[derive(Debug)]
pub struct Source {
    /// The path, relative to the root of the checkout.
    pub path: PathBuf,
    pub text: String,
}

/// The programs of a lesson.
#[derive(Debug)]
pub struct Sources {
    pub rust: Vec<Source>,
    pub python: Option<Source>,
}

impl Source {
    /// Reads a file, if it is there and is text.
    pub fn read(root: &Path, path: PathBuf) -> Option<Self> {
        let text = fs::read_to_string(root.join(&path)).ok()?;
        Some(Self { path, text })
    }
}

impl Sources {
    /// Reads the Rust files and the Python counterpart of a lesson.
    pub fn read(root: &Path, lesson: &Lesson) -> anyhow::Result<Self> {
        let folder = lesson.folder.strip_prefix(root)?;
        let mut files = Vec::new();
        files_below(root, &folder.join("src"), &mut files)?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
        files.sort();
        let rust = files
            .into_iter()
            .filter_map(|path| Source::read(root, path));
        let rust = rust.collect();
        let python = Source::read(root, folder.join(format!("{}.py", lesson.name)));
        Ok(Self { rust, python })
    }
}

/// Adds the files in a folder and those below it, relative to the root, without what was built.
pub fn files_below(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    const BUILT: [&str; 3] = ["target", "__pycache__", ".git"];
    let place = root.join(folder);
    if !place.is_dir() {
        return Ok(());
    }
    let entries =
        fs::read_dir(&place).with_context(|| format!("{} cannot be read", place.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !BUILT.iter().any(|built| entry.file_name() == *built) {
            files_below(root, &path, files)?;
        }
    }
    Ok(())
}

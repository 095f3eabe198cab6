use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{Lesson, stands_alone};

/// A source file of a lesson, in Rust or Python.
#[derive(Debug)]
pub struct Source {
    /// The path, relative to the root of the checkout.
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// Reads the Rust files and the Python counterpart of a lesson.
    pub fn all_of(lesson: &Lesson, root: &Path) -> anyhow::Result<Vec<Self>> {
        let folder = lesson.folder.strip_prefix(root)?;
        let mut files = Vec::new();
        files_below(root, &folder.join("src"), &mut files)?;
        files.retain(|path| path.extension().is_some_and(|kind| kind == "rs"));
        files.sort();
        let python = folder.join(format!("{}.py", lesson.name));
        files.extend(root.join(&python).exists().then_some(python));
        let read = |path: PathBuf| {
            let text = text_of(&root.join(&path))?;
            Ok(Self { path, text })
        };
        files.into_iter().map(read).collect()
    }
}

/// Reads a text file. The error names the file and the reason.
pub fn text_of(path: &Path) -> anyhow::Result<String> {
    let read = match fs::metadata(path) {
        // Opening a named pipe would block until another process writes into it.
        Ok(found) if !found.is_file() => Err(Error::other("it is not a regular file")),
        _ => fs::read_to_string(path),
    };
    let read = read.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Error::other("it is not text in UTF-8"),
        _ => error,
    });
    read.with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file, and creates its folder.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Adds the files in a folder and its subfolders, relative to the root. Leaves out build output, copies of
/// lessons, which belong to a learner, and an editor's lock files, which are broken links.
pub fn files_below(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    const LEFT_OUT: [&str; 3] = ["target", "__pycache__", ".git"];
    let place = root.join(folder);
    if !place.is_dir() {
        return Ok(());
    }
    let cannot_read = || format!("cannot read {}", place.display());
    for entry in fs::read_dir(&place).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let name = entry.file_name();
        let is_folder = entry.file_type()?.is_dir();
        if is_folder {
            let is_ours = LEFT_OUT.iter().all(|left_out| name != *left_out);
            if is_ours && !stands_alone(&place.join(&name)) {
                files_below(root, &folder.join(&name), files)?;
            }
        } else if !name.to_string_lossy().starts_with(".#") {
            files.push(folder.join(&name));
        }
    }
    Ok(())
}

/// Returns a text that is safe to show on a terminal: control characters, except tabs and newlines, are
/// escaped.
pub fn visible(text: &str) -> String {
    let shown = text.chars().map(|letter| match letter {
        '\t' | '\n' => letter.to_string(),
        _ if letter.is_control() => letter.escape_default().to_string(),
        _ => letter.to_string(),
    });
    shown.collect()
}

use std::borrow::Cow;
use std::fs;
use std::io::{Error, ErrorKind};
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
    fn read(root: &Path, path: PathBuf) -> anyhow::Result<Self> {
        let text = text_of(&root.join(&path))?;
        Ok(Self { path, text })
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
        let rust = files.into_iter().map(|path| Source::read(root, path));
        let python = folder.join(format!("{}.py", lesson.name));
        let python = root.join(&python).exists().then_some(python);
        Ok(Self {
            rust: rust.collect::<anyhow::Result<_>>()?,
            python: python.map(|path| Source::read(root, path)).transpose()?,
        })
    }
}

/// Reads a text file. An error names it, and what is wrong with it.
pub fn text_of(path: &Path) -> anyhow::Result<String> {
    let read = fs::metadata(path).and_then(|found| {
        // Opening a named pipe could wait forever.
        if !found.is_file() {
            return Err(Error::other("it is not a regular file"));
        }
        fs::read_to_string(path)
    });
    let read = read.map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Error::other("it is not text in UTF-8"),
        _ => error,
    });
    read.with_context(|| format!("{} cannot be read", path.display()))
}

/// Adds the files in a folder and those below it, relative to the root, except build output.
pub fn files_below(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    const BUILT: [&str; 3] = ["target", "__pycache__", ".git"];
    let place = root.join(folder);
    if !place.is_dir() {
        return Ok(());
    }
    let cannot_be_read = || format!("{} cannot be read", place.display());
    for entry in fs::read_dir(&place).with_context(cannot_be_read)? {
        let entry = entry.with_context(cannot_be_read)?;
        let path = folder.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.push(path);
        } else if !BUILT.iter().any(|built| entry.file_name() == *built) {
            files_below(root, &path, files)?;
        }
    }
    Ok(())
}

/// Returns text of a file as a terminal may show it: control characters, except tabs and line ends,
/// are written as escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_unsafe = |letter: char| letter.is_control() && letter != '\t' && letter != '\n';
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|letter| match letter {
        letter if is_unsafe(letter) => letter.escape_default().to_string(),
        letter => letter.to_string(),
    });
    Cow::Owned(shown.collect())
}

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

/// Writes a file, and makes the folder for it.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Adds the files in a folder and those below it, relative to the root: not build output, nor an
/// editor's lock, which is a link that leads nowhere.
pub fn files_below(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    const LEFT_OUT: [&str; 3] = ["target", "__pycache__", ".git"];
    let place = root.join(folder);
    if !place.is_dir() {
        return Ok(());
    }
    let cannot_be_read = || format!("{} cannot be read", place.display());
    for entry in fs::read_dir(&place).with_context(cannot_be_read)? {
        let entry = entry.with_context(cannot_be_read)?;
        let name = entry.file_name();
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            files_below(root, &folder.join(&name), files)?;
        } else if !is_folder && !name.to_string_lossy().starts_with(".#") {
            files.push(folder.join(&name));
        }
    }
    Ok(())
}

/// Returns text of a file as a terminal may show it: control characters, except tabs and line ends,
/// are written as escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_control = |letter: char| letter.is_control() && letter != '\t' && letter != '\n';
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|letter| match letter {
        letter if is_control(letter) => letter.escape_default().to_string(),
        letter => letter.to_string(),
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::Sources;
    use crate::Lesson;
    use std::fs;
    use std::process::Command;

    #[test]
    fn a_source_that_is_no_text_is_named() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("lessons/pool");
        let path = folder.join("src/main.rs");
        fs::create_dir_all(folder.join("src")).unwrap();
        let lesson = Lesson {
            name: "pool".to_owned(),
            number: 5,
            title: String::new(),
            minutes: 1,
            folder,
        };
        let error = || format!("{:#}", Sources::read(root.path(), &lesson).unwrap_err());
        fs::write(&path, b"fn main() {} // \xff").unwrap();
        assert!(error().contains("src/main.rs cannot be read: it is not text"));
        fs::remove_file(&path).unwrap();
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(error().contains("src/main.rs cannot be read: it is not a regular file"));
    }
}

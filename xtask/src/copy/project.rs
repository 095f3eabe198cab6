use std::fs;
use std::path::Path;

use anyhow::Context;

use super::crates::{self, Crates};
use super::files::files;
use super::manifest_text::ManifestText;
use super::rewriting::Rewriting;
use course::interruption::Delay;
use course::{Course, Lesson};

/// The profile of the course, which a package alone would not have.
const PROFILE: [&str; 2] = ["profile.dev", "profile.dev.build-override"];

const WORKSPACE: &str = "\
# This project is a workspace of its own, even where it lies inside another one.
[workspace]
";

/// Stays out of version control.
const IGNORED: &str = "/target\n__pycache__/\n";

/// The test that every copy gets; `PROGRAM` stands for the name of the lesson's program.
const STEPS_TEST: &str = include_str!("steps_test.rs");

/// A lesson that is to be written as a project of its own.
pub(super) struct Project<'a> {
    course: &'a Course,
    lesson: &'a Lesson,
    name: &'a str,
    crates: Crates,
}

impl<'a> Project<'a> {
    pub(super) fn new(
        course: &'a Course,
        lesson: &'a Lesson,
        name: &'a str,
    ) -> anyhow::Result<Self> {
        let crates = Crates::needed_by(&lesson.folder)?;
        Ok(Self {
            course,
            lesson,
            name,
            crates,
        })
    }

    /// Gives the names of the crates beside the lesson.
    pub(super) fn crates(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.crates.iter()
    }

    /// Writes everything into a new folder, except `Cargo.lock`, for which it puts the one of the
    /// course there.
    pub(super) fn write(&self, folder: &Path, delay: &Delay) -> anyhow::Result<()> {
        let copy = Copy { folder, delay };
        self.write_lesson(&copy)?;
        for (from, name) in self.crates.iter() {
            self.write_crate(from, &Path::new("crates").join(name), &copy)?;
        }
        copy.write_new(Path::new(".gitignore"), IGNORED.as_bytes())?;
        let steps_test = STEPS_TEST.replace("PROGRAM_NAME", &self.lesson.name);
        copy.write_new(Path::new("tests/steps.rs"), steps_test.as_bytes())?;
        for entry in read_dir(&self.course.root)? {
            let name = entry?.file_name();
            if name.to_string_lossy().starts_with("LICENSE") || name == "Cargo.lock" {
                let bytes = read(&self.course.root.join(&name))?;
                copy.write_new(Path::new(&name), &bytes)?;
            }
        }
        Ok(())
    }

    fn write_lesson(&self, copy: &Copy) -> anyhow::Result<()> {
        let from = &self.lesson.folder;
        for path in files(from)? {
            let bytes = match String::from_utf8(read(&from.join(&path))?) {
                Ok(text) => self.rewritten(&path, &text)?.into_bytes(),
                // What is not text, a picture perhaps, is copied as it is.
                Err(error) => error.into_bytes(),
            };
            copy.write_new(&path, &bytes)?;
        }
        Ok(())
    }

    /// Gives the text of one of the lesson's files as it must be in the copy.
    fn rewritten(&self, path: &Path, text: &str) -> anyhow::Result<String> {
        let rewriting = Rewriting::new(self.lesson, &self.crates);
        if path == Path::new("Cargo.toml") {
            return Ok(self.lesson_manifest()?.into_text());
        }
        if path == Path::new("README.md") {
            return Ok(rewriting.readme(text));
        }
        let is_markdown = path.extension().is_some_and(|extension| extension == "md");
        Ok(if is_markdown {
            rewriting.markdown(path, text)
        } else {
            rewriting.commands(text)
        })
    }

    fn lesson_manifest(&self) -> anyhow::Result<ManifestText> {
        let from = &self.lesson.folder;
        let mut manifest = crates::read(from)?;
        manifest.move_path_dependencies(|dependency| {
            let name = self.crates.name(from, &dependency.path)?;
            Ok(format!("crates/{name}"))
        })?;
        // The copy is no lesson of a course any more.
        manifest.remove_tables(&["package.metadata.lesson"])?;
        manifest.rename(self.name)?;
        manifest.append(WORKSPACE);
        let profile = crates::read(&self.course.root)?.text_of_tables(&PROFILE)?;
        if !profile.is_empty() {
            manifest.append(&profile);
        }
        Ok(manifest)
    }

    fn write_crate(&self, from: &Path, to: &Path, copy: &Copy) -> anyhow::Result<()> {
        for path in files(from)? {
            if ["tests", "examples", "benches"]
                .iter()
                .any(|tests| path.starts_with(tests))
            {
                continue;
            }
            let bytes = if path == Path::new("Cargo.toml") {
                let mut manifest = crates::without_tests(from)?;
                manifest.move_path_dependencies(|dependency| {
                    let name = self.crates.name(from, &dependency.path)?;
                    Ok(format!("../{name}"))
                })?;
                manifest.into_text().into_bytes()
            } else {
                read(&from.join(&path))?
            };
            copy.write_new(&to.join(&path), &bytes)?;
        }
        Ok(())
    }
}

/// The folder that is written into.
struct Copy<'a> {
    folder: &'a Path,
    delay: &'a Delay,
}

impl Copy<'_> {
    /// Writes a file, unless there is one already.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        anyhow::ensure!(self.delay.look().is_ok(), "interrupted");
        let path = self.folder.join(path);
        if path.exists() {
            return Ok(());
        }
        let cannot_be_written = || format!("{} cannot be written", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(cannot_be_written)?;
        }
        fs::write(&path, bytes).with_context(cannot_be_written)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn read_dir(path: &Path) -> anyhow::Result<fs::ReadDir> {
    fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))
}

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::run::{Run, listed_steps, runs_of};
use crate::screen::Screen;
use crate::task::though_unread;
use course::build::{Build, Program};
use course::document::Document;
use course::manifest::stands_alone;
use course::python::Python;
use course::source::{Source, Sources, files_below, text_of};
use course::{Course, Lesson};

/// What the rules look at. Paths are relative to the root, except the root itself.
pub(super) struct Checkout {
    pub(super) root: PathBuf,
    pub(super) lessons: Vec<LessonFiles>,
    /// Why no Python counterpart was asked for its steps, if none could be.
    pub(super) no_python: Option<String>,
    /// Every file that belongs to the checkout.
    pub(super) files: Vec<PathBuf>,
}

/// A lesson with its texts.
pub(super) struct LessonFiles {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) folder: PathBuf,
    pub(super) readme: Option<Document>,
    pub(super) sources: Sources,
    /// What the lesson's program lists with `--list`, or why it does not.
    pub(super) steps: Result<Vec<String>, String>,
    /// What the Python counterpart lists, or why it does not. Nothing where there is no Python.
    pub(super) python_steps: Option<Result<Vec<String>, String>>,
    /// The runs of the steps of which the README shows one.
    pub(super) runs: Vec<Run>,
}

impl Checkout {
    /// Reads the checkout, builds the lessons, asks them for their steps and runs those that a
    /// README shows, one after the other: some measure themselves.
    pub(super) fn read(course: &Course, screen: &mut Screen) -> anyhow::Result<Self> {
        let names: Vec<&str> = course.names().collect();
        let builds = Program::build_all(&course.root, &names, |doing| {
            though_unread(screen.status("Building the lessons", doing))
        })?;
        though_unread(screen.end_status())?;
        let python = Python::find();
        let mut lessons = Vec::new();
        for (lesson, build) in course.lessons.iter().zip(builds) {
            let mut files = LessonFiles::read(&course.root, lesson)?;
            match build {
                Build::Done(program) => {
                    files.steps = listed_steps(program.step("--list"));
                    files.runs = runs_of(&program, &files, |step| {
                        let doing = format!("{} {step}", lesson.name);
                        though_unread(screen.status("Running what the READMEs show", &doing))
                    })?;
                }
                Build::Failed(said) => files.steps = Err(format!("it does not build:\n{said}")),
            }
            if files.sources.python.is_some() {
                files.python_steps = python
                    .as_ref()
                    .ok()
                    .map(|python| listed_steps(python.step(&course.root, &lesson.name, "--list")));
            }
            lessons.push(files);
        }
        though_unread(screen.end_status())?;
        Ok(Self {
            root: course.root.clone(),
            lessons,
            no_python: python.err(),
            files: files(&course.root)?,
        })
    }

    /// Gives those files that are text, with their text.
    pub(super) fn texts(&self) -> impl Iterator<Item = Source> {
        self.files.iter().filter_map(|path| {
            let text = text_of(&self.root.join(path)).ok()?;
            let path = path.clone();
            (!text.contains('\0')).then_some(Source { path, text })
        })
    }
}

impl LessonFiles {
    /// Reads a lesson's texts; its program is not run yet.
    pub(super) fn read(root: &Path, lesson: &Lesson) -> anyhow::Result<Self> {
        let folder = lesson.folder.strip_prefix(root)?.to_owned();
        Ok(Self {
            name: lesson.name.clone(),
            title: lesson.title.clone(),
            readme: text_of(&lesson.readme_path())
                .map(|text| Document::parse(&text))
                .ok(),
            sources: Sources::read(root, lesson)?,
            steps: Ok(Vec::new()),
            python_steps: None,
            runs: Vec::new(),
            folder,
        })
    }

    pub(super) fn readme_path(&self) -> PathBuf {
        self.folder.join("README.md")
    }
}

/// Gives the files of the checkout: those that git tracks or would add; without git, all but what
/// is built. A project of its own, a copy of a lesson perhaps, is not part of the checkout.
pub(super) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let git = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output();
    let mut files = Vec::new();
    match git {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
            let names = names.split('\0').filter(|name| !name.is_empty());
            // A file may be known to git and yet deleted.
            files.extend(
                names
                    .map(PathBuf::from)
                    .filter(|path| root.join(path).is_file()),
            );
        }
        _ => files_below(root, Path::new(""), &mut files)?,
    }
    let own: Vec<PathBuf> = files
        .iter()
        .filter(|path| path.ends_with("Cargo.toml") && *path != Path::new("Cargo.toml"))
        .filter_map(|path| path.parent().map(Path::to_owned))
        .filter(|folder| stands_alone(&root.join(folder)))
        .collect();
    files.retain(|path| !own.iter().any(|folder| path.starts_with(folder)));
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::files;
    use course::source::files_below;
    use std::fs;
    use std::path::Path;

    #[test]
    fn without_git_everything_but_what_is_built_is_found() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["src", "target/debug", ".git"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("file"), "").unwrap();
        }
        let mut files = Vec::new();
        files_below(root.path(), Path::new(""), &mut files).unwrap();
        assert_eq!(files, [Path::new("src/file")]);
    }

    #[test]
    fn a_project_of_its_own_is_not_part_of_the_checkout() {
        let root = tempfile::tempdir().unwrap();
        for (folder, manifest) in [
            ("", "[workspace]"),
            ("pool", "[package]"),
            ("mine", "[workspace]"),
        ] {
            let folder = root.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        }
        let expected = ["Cargo.toml", "pool/Cargo.toml"];
        assert_eq!(files(root.path()).unwrap(), expected.map(Path::new));
    }
}

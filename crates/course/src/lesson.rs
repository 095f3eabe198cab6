use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tinyjson::JsonValue;

use crate::build::{self, text_in, value_in};
use crate::document::{Document, Section};
use crate::misuse::{Misuse, suggestion};
use crate::source::text_of;

/// The lessons of a checkout, in the order of their numbers.
pub struct Course {
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target_folder: PathBuf,
    pub lessons: Vec<Lesson>,
}

/// A lesson, as its manifest describes it.
#[derive(Debug)]
pub struct Lesson {
    pub name: String,
    pub number: u32,
    pub title: String,
    pub minutes: u32,
    pub folder: PathBuf,
}

impl Course {
    /// Finds the course that this program was started in.
    pub fn here() -> anyhow::Result<Self> {
        Self::find(&root()?)
    }

    /// Finds the lessons of the workspace in `root`, as Cargo lists them. A folder that isn't a member is
    /// not a lesson: it may be a learner's copy of one.
    pub fn find(root: &Path) -> anyhow::Result<Self> {
        // Cargo lists packages with canonical paths.
        let root = fs::canonicalize(root).with_context(|| root.display().to_string())?;
        let mut command = build::cargo(&root, "metadata");
        command.args(["--no-deps", "--offline", "--format-version", "1"]);
        let output = command.output().context("cannot run cargo")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", errors.trim_end());
        let workspace: JsonValue = str::from_utf8(&output.stdout)?.parse()?;
        let packages: Option<&Vec<JsonValue>> =
            value_in(&workspace, &["packages"]).and_then(JsonValue::get);
        let target = text_in(&workspace, &["target_directory"]);
        let (packages, target) = packages
            .zip(target)
            .context("cargo does not list the packages")?;

        let lessons_folder = root.join("lessons");
        let mut lessons = Vec::new();
        for package in packages {
            let manifest = Path::new(text_in(package, &["manifest_path"]).unwrap_or_default());
            if manifest.starts_with(&lessons_folder) {
                lessons.push(Lesson::read(package, manifest)?);
            }
        }
        lessons.sort_by_key(|lesson| lesson.number);
        for pair in lessons.windows(2) {
            ensure!(
                pair[0].number != pair[1].number,
                "lessons {} and {} both have number {}: change `number` in {} or in {}; if one of them is \
                 your copy of the other, add a line `[workspace]` at the end of its Cargo.toml",
                pair[0].name,
                pair[1].name,
                pair[0].number,
                pair[0].manifest_path().display(),
                pair[1].manifest_path().display()
            );
        }
        let target_folder = target.into();
        Ok(Self {
            root,
            target_folder,
            lessons,
        })
    }

    /// Returns the lesson with this name or number, or an error that suggests the nearest name.
    pub fn lesson(&self, wanted: &str) -> Result<&Lesson, Misuse> {
        self.lesson_if_any(wanted).ok_or_else(|| {
            let suggestion = suggestion(wanted, self.names());
            let names: Vec<&str> = self.names().collect();
            Misuse(format!(
                "there is no lesson `{wanted}`{suggestion}\nThe lessons are {}; \
                 `cargo xtask lesson --list` shows them with their steps",
                names.join(", ")
            ))
        })
    }

    /// Returns the lesson with this name or number, if it exists.
    pub fn lesson_if_any(&self, wanted: &str) -> Option<&Lesson> {
        self.lessons
            .iter()
            .find(|lesson| lesson.name == wanted || lesson.number.to_string() == wanted)
    }

    /// Returns the names of the lessons in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lessons.iter().map(|lesson| lesson.name.as_str())
    }
}

impl Lesson {
    fn read(package: &JsonValue, manifest: &Path) -> anyhow::Result<Self> {
        let lesson = || {
            let text = |keys: &[&str]| text_in(package, keys).map(str::to_owned);
            let number = |key| {
                let number: &f64 = value_in(package, &["metadata", "lesson", key])?.get()?;
                format!("{number}").parse().ok()
            };
            Some(Self {
                name: text(&["name"])?,
                number: number("number")?,
                title: text(&["metadata", "lesson", "title"])?,
                minutes: number("minutes")?,
                folder: manifest.parent()?.to_owned(),
            })
        };
        lesson().with_context(|| {
            format!(
                "{}: a lesson needs a table [package.metadata.lesson] with `number`, `title` and \
                 `minutes`",
                manifest.display()
            )
        })
    }

    pub fn manifest_path(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
    }

    pub fn readme_path(&self) -> PathBuf {
        self.folder.join("README.md")
    }

    /// Reads the script of the lesson.
    pub fn readme(&self) -> anyhow::Result<Document> {
        Ok(Document::parse(&text_of(&self.readme_path())?))
    }

    /// Returns the section of the lesson's script that shows a step, or an error that suggests the nearest
    /// step.
    pub fn step<'a>(&self, script: &'a Document, wanted: &str) -> Result<&'a Section, Misuse> {
        let mut sections = script.sections.iter();
        let section = sections.find(|section| section.step.as_deref() == Some(wanted));
        section.ok_or_else(|| {
            let steps: Vec<&str> = script.steps().collect();
            Misuse(format!(
                "lesson {} has no step `{wanted}`{}\nIts steps are {}",
                self.name,
                suggestion(wanted, steps.iter().copied()),
                steps.join(", ")
            ))
        })
    }
}

/// Returns whether a folder is its own workspace, such as a learner's copy of a lesson.
pub(crate) fn stands_alone(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.starts_with("[workspace"))
}

/// Returns the command that runs a step, as the READMEs show it after `$ `.
pub fn command(lesson: &str, step: &str) -> String {
    format!("cargo run -q -p {lesson} -- {step}")
}

/// Finds the root of the checkout, starting from the folder of this package if Cargo tells it, or else from
/// the current folder.
fn root() -> anyhow::Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => env::current_dir().context("the current folder is unknown")?,
    };
    let mut folders = start.ancestors();
    let root = folders.find(|folder| folder.join("lessons").is_dir());
    root.map(Path::to_owned).with_context(|| {
        format!(
            "there is no folder `lessons` in {} or above: run `cargo xtask` in the checkout",
            start.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::Course;
    use crate::document::Document;
    use std::fs;

    /// Makes lessons with these names and numbers, and a folder that isn't one, and finds them.
    fn course(lessons: &[(&str, &str)]) -> Result<Course, String> {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("lessons/stray/Cargo.toml", "no manifest");
        let mut members = Vec::new();
        for (name, number) in lessons {
            let manifest = format!(
                "[package]\nname = \"{name}\"\n\n[package.metadata.lesson]\n\
                 number = {number}\ntitle = \"About {name}\"\nminutes = 4\n"
            );
            write(&format!("lessons/{name}/Cargo.toml"), &manifest);
            write(&format!("lessons/{name}/src/lib.rs"), "");
            members.push(format!("lessons/{name}"));
        }
        let workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
        write("Cargo.toml", &workspace);
        let found = Course::find(root.path());
        found.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn lessons_and_steps_are_found_and_typos_get_a_suggestion() {
        let course = course(&[("queue", "6"), ("pool", "5")]).unwrap();
        assert_eq!(course.names().collect::<Vec<_>>(), ["pool", "queue"]);
        assert_eq!(course.lesson("queue").unwrap().number, 6);
        let pool = course.lesson("5").unwrap();
        assert_eq!((&*pool.title, pool.minutes), ("About pool", 4));
        let error = course.lesson("poll").unwrap_err().to_string();
        assert!(error.contains("no lesson `poll`; did you mean `pool`?"));

        let script = Document::parse("# Pool\n\n## map: one\n\nA.\n\n## order: two\n\nB.\n");
        let found = pool.step(&script, "order").unwrap();
        assert_eq!(found.step.as_deref(), Some("order"));
        let expected =
            "lesson pool has no step `mpa`; did you mean `map`?\nIts steps are map, order";
        assert_eq!(pool.step(&script, "mpa").unwrap_err().to_string(), expected);
    }

    #[test]
    fn errors_name_the_manifest() {
        for (lessons, named) in [
            (&[("pool", "5"), ("queue", "5")][..], "both have number 5"),
            (&[("pool", "5 5")], "pool/Cargo.toml:5"),
            (&[("pool", "-5")], "pool/Cargo.toml: a lesson needs"),
        ] {
            let error = course(lessons).err().unwrap();
            assert!(error.contains(named), "{error}");
        }
    }
}

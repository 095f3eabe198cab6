use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use toml::de::DeTable;

use crate::build;
use crate::document::{Document, Section};
use crate::misuse::{Misuse, suggestion};
use crate::source::text_of;

/// The lessons that are found, in the order of their numbers.
pub struct Course {
    pub root: PathBuf,
    pub lessons: Vec<Lesson>,
}

/// What a lesson's manifest says about it.
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
        Self::find(root()?)
    }

    /// Finds the lessons below `root`. A folder without a `Cargo.toml` is no lesson, nor is one that is a
    /// project of its own: somebody's copy of a lesson.
    pub fn find(root: PathBuf) -> anyhow::Result<Self> {
        let lessons_folder = root.join("lessons");
        let entries = fs::read_dir(&lessons_folder)
            .with_context(|| format!("{} cannot be read", lessons_folder.display()))?;
        let mut lessons = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            if folder.join("Cargo.toml").is_file() && !stands_alone(&folder) {
                lessons.push(Lesson::read(&folder)?);
            }
        }
        lessons.sort_by_key(|lesson| lesson.number);
        for pair in lessons.windows(2) {
            ensure!(
                pair[0].number != pair[1].number,
                "lessons {} and {} both have number {}: change `number` in one of {} and {}; or, if one \
                 is your copy of the other, add a line `[workspace]` at the end of its Cargo.toml",
                pair[0].name,
                pair[1].name,
                pair[0].number,
                pair[0].manifest_path().display(),
                pair[1].manifest_path().display()
            );
        }
        Ok(Self { root, lessons })
    }

    /// Returns the lesson of that name or number.
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

    /// Returns the lesson of that name or number, if there is one.
    pub fn lesson_if_any(&self, wanted: &str) -> Option<&Lesson> {
        self.lessons
            .iter()
            .find(|lesson| lesson.name == wanted || lesson.number.to_string() == wanted)
    }

    /// Returns the folder into which Cargo builds. Cargo knows it: it may be set in the environment
    /// or in a configuration file.
    pub fn target_folder(&self) -> PathBuf {
        let mut command = build::cargo(&self.root, "metadata");
        command.args(["--no-deps", "--offline", "--format-version", "1"]);
        let metadata = command.output().map(|output| output.stdout);
        let metadata = metadata.unwrap_or_default();
        let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap_or_default();
        match metadata["target_directory"].as_str() {
            Some(folder) => PathBuf::from(folder),
            None => self.root.join("target"),
        }
    }

    /// Returns the names of the lessons in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lessons.iter().map(|lesson| lesson.name.as_str())
    }
}

impl Lesson {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("Cargo.toml");
        let text = text_of(&path)?;
        let manifest = DeTable::parse(&text);
        let manifest = manifest.map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let said = || {
            let package = manifest.get_ref().get("package")?.get_ref();
            let table = package.get("metadata")?.get_ref().get("lesson")?.get_ref();
            let number = |key| {
                let number = table.get(key)?.get_ref().as_integer()?;
                number.as_str().parse().ok()
            };
            Some(Self {
                name: package.get("name")?.get_ref().as_str()?.to_owned(),
                number: number("number")?,
                title: table.get("title")?.get_ref().as_str()?.to_owned(),
                minutes: number("minutes")?,
                folder: folder.to_owned(),
            })
        };
        said().with_context(|| {
            format!(
                "{}: a lesson needs a package name and a table [package.metadata.lesson] with \
                 `number`, `title` and `minutes`",
                path.display()
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

    /// Returns the section of the lesson's script that shows a step, or refuses a step that the lesson
    /// does not have.
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

/// Returns whether a folder is a workspace of its own, such as a learner's copy of a lesson.
pub(crate) fn stands_alone(folder: &Path) -> bool {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    DeTable::parse(&text).is_ok_and(|manifest| manifest.get_ref().contains_key("workspace"))
}

/// Returns the command that runs a step, as the lesson's README shows it after its `$ `.
pub fn command(lesson: &str, step: &str) -> String {
    format!("cargo run -q -p {lesson} -- {step}")
}

/// Finds the root of the checkout: Cargo says where this package is, or else it is looked for from
/// the current folder upwards.
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

    /// Finds lessons with these names and numbers, and a folder that is none.
    fn course(lessons: &[(&str, &str)]) -> Result<Course, String> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("lessons/stray")).unwrap();
        for (name, number) in lessons {
            let folder = root.path().join("lessons").join(name);
            fs::create_dir(&folder).unwrap();
            let manifest = format!(
                "[package]\nname = \"{name}\"\n\n[package.metadata.lesson]\n\
                 number = {number}\ntitle = \"About {name}\"\nminutes = 4\n"
            );
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        }
        let found = Course::find(root.path().to_owned());
        found.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn lessons_and_steps_are_found_or_refused_with_the_nearest_name() {
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
    fn manifests_that_cannot_be_used_are_named() {
        for (lessons, named) in [
            (&[("pool", "5"), ("queue", "5")][..], "both have number 5"),
            (
                &[("pool", "5 5")],
                "pool/Cargo.toml: TOML parse error at line 5",
            ),
            (&[("pool", "-5")], "pool/Cargo.toml: a lesson needs"),
        ] {
            let error = course(lessons).err().unwrap();
            assert!(error.contains(named), "{error}");
        }
    }
}

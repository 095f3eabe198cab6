use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::document::{Document, Section};
use crate::manifest::{Manifest, stands_alone};
use crate::misuse::{Misuse, suggestion};

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
                lessons.push(Lesson::read(folder)?);
            }
        }
        lessons.sort_by_key(|lesson| lesson.number);
        for pair in lessons.windows(2) {
            let [one, other] = pair else { continue };
            ensure!(
                one.number != other.number,
                "lessons {} and {} both have number {}: change `number` in one of {} and {}; or, if one \
                 is your copy of the other, add a line `[workspace]` at the end of its Cargo.toml",
                one.name,
                other.name,
                one.number,
                one.manifest_path().display(),
                other.manifest_path().display()
            );
        }
        Ok(Self { root, lessons })
    }

    /// Gives the lesson of that name or number.
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

    /// Gives the lesson of that name or number, if there is one.
    pub fn lesson_if_any(&self, wanted: &str) -> Option<&Lesson> {
        self.lessons
            .iter()
            .find(|lesson| lesson.name == wanted || lesson.number.to_string() == wanted)
    }

    /// Gives the folder into which Cargo builds.
    pub fn target_folder(&self) -> PathBuf {
        // A relative path is one from where the command was given.
        match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => {
                let here = env::current_dir().unwrap_or_else(|_| self.root.clone());
                here.join(folder)
            }
            _ => self.root.join("target"),
        }
    }

    /// Gives the names of the lessons in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lessons.iter().map(|lesson| lesson.name.as_str())
    }
}

impl Lesson {
    fn read(folder: PathBuf) -> anyhow::Result<Self> {
        let path = folder.join("Cargo.toml");
        let manifest = Manifest::read(&path)?;
        let key = |name| ["package", "metadata", "lesson", name];
        let (Some(name), Some(number), Some(title), Some(minutes)) = (
            manifest.text(&["package", "name"]),
            manifest.number(&key("number")),
            manifest.text(&key("title")),
            manifest.number(&key("minutes")),
        ) else {
            bail!(
                "{}, line {}: a lesson needs a package name and a table [package.metadata.lesson] \
                 with `number`, `title` and `minutes`",
                path.display(),
                manifest.line(&["package", "metadata", "lesson"])
            );
        };
        Ok(Self {
            name: name.to_owned(),
            number,
            title: title.to_owned(),
            minutes,
            folder,
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
        let path = self.readme_path();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Document::parse(&text))
    }

    /// Gives the section of the lesson's script that shows a step, or refuses a step that the lesson
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

/// Gives the command that runs a step, as the lesson's README shows it.
pub fn command(lesson: &str, step: &str) -> String {
    format!("$ cargo run -q -p {lesson} -- {step}")
}

/// Finds the root of the checkout: Cargo says where this package is, or else it is looked for from
/// the current folder upwards.
fn root() -> anyhow::Result<PathBuf> {
    let from_cargo = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = match from_cargo {
        Some(folder) => folder,
        None => env::current_dir().context("the current folder cannot be told")?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("lessons").is_dir())
        .map(Path::to_owned)
        .with_context(|| {
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
    use std::path::Path;

    fn write_lesson(root: &Path, name: &str, number: u32) {
        let folder = root.join("lessons").join(name);
        fs::create_dir_all(&folder).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\n\n[package.metadata.lesson]\n\
             number = {number}\ntitle = \"About {name}\"\nminutes = 4\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    }

    fn course_error(root: &Path) -> String {
        format!("{:#}", Course::find(root.to_owned()).err().unwrap())
    }

    #[test]
    fn lessons_come_in_the_order_of_their_numbers() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "queue", 6);
        write_lesson(root.path(), "pool", 5);
        fs::create_dir(root.path().join("lessons/stray")).unwrap();
        let course = Course::find(root.path().to_owned()).unwrap();
        assert_eq!(course.names().collect::<Vec<_>>(), ["pool", "queue"]);
        assert_eq!(course.lessons[0].title, "About pool");
    }

    #[test]
    fn a_lesson_is_found_by_name_and_by_number() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "pool", 5);
        let course = Course::find(root.path().to_owned()).unwrap();
        assert_eq!(course.lesson("pool").unwrap().number, 5);
        assert_eq!(course.lesson("5").unwrap().name, "pool");
        let error = course.lesson("poll").unwrap_err().to_string();
        assert!(error.contains("no lesson `poll`; did you mean `pool`?"));
    }

    #[test]
    fn a_step_is_found_or_refused_with_the_nearest_name() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "pool", 5);
        let course = Course::find(root.path().to_owned()).unwrap();
        let script = Document::parse("# Pool\n\n## map: one\n\nA.\n\n## order: two\n\nB.\n");
        let found = course.lessons[0].step(&script, "order").unwrap();
        assert_eq!(found.step.as_deref(), Some("order"));
        let error = course.lessons[0].step(&script, "mpa").unwrap_err();
        let expected =
            "lesson pool has no step `mpa`; did you mean `map`?\nIts steps are map, order";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn two_lessons_of_one_number_are_refused() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "queue", 5);
        write_lesson(root.path(), "pool", 5);
        let error = course_error(root.path());
        assert!(error.contains("both have number 5"), "{error}");
    }

    #[test]
    fn a_broken_manifest_is_named() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "pool", 5);
        let manifest = root.path().join("lessons/pool/Cargo.toml");
        fs::write(&manifest, "[package\n").unwrap();
        let error = course_error(root.path());
        assert!(error.contains(&manifest.display().to_string()), "{error}");
        assert!(error.contains("line 1"), "{error}");
    }

    #[test]
    fn a_manifest_without_minutes_is_named() {
        let root = tempfile::tempdir().unwrap();
        write_lesson(root.path(), "pool", 5);
        let manifest = root.path().join("lessons/pool/Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replace("minutes", "hours")).unwrap();
        let error = course_error(root.path());
        assert!(error.contains("line 4: a lesson needs"), "{error}");
    }
}

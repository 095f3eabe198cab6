use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use course::Lesson;
use course::document::{Block, Document};

/// What an exercise asks for: its `task.md`, taken apart.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) text: Vec<Block>,
    /// From the first to the one that says nearly everything.
    pub(super) hints: Vec<Vec<Block>>,
    /// What to try when it is solved.
    pub(super) next: Vec<Block>,
}

impl Sheet {
    /// Reads the sheet of a lesson's exercise; none if the lesson has no exercise.
    pub(super) fn read(lesson: &Lesson) -> anyhow::Result<Option<Self>> {
        let path = path(lesson);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let sheet = Self::parse(&text);
        ensure!(
            !sheet.hints.is_empty(),
            "{} has no section `## Hint 1`",
            path.display()
        );
        Ok(Some(sheet))
    }

    fn parse(text: &str) -> Self {
        let readme = Document::parse(text);
        let mut sheet = Self {
            title: readme.title,
            text: readme.opening,
            ..Self::default()
        };
        for section in readme.sections {
            if section.heading.starts_with("Hint ") {
                sheet.hints.push(section.blocks);
            } else {
                sheet.next.extend(section.blocks);
            }
        }
        sheet
    }
}

/// Gives the path of the sheet.
pub(super) fn path(lesson: &Lesson) -> PathBuf {
    lesson.folder.join("exercise").join("task.md")
}

/// Gives the path of the program with the gap.
pub(super) fn program(lesson: &Lesson) -> PathBuf {
    lesson.folder.join("exercise").join("main.rs")
}

/// Gives the path of the solution.
pub(super) fn solution(lesson: &Lesson) -> PathBuf {
    lesson
        .folder
        .join("exercise")
        .join("solution")
        .join("main.rs")
}

#[cfg(test)]
mod tests {
    use super::Sheet;
    use course::document::Block;

    #[test]
    fn a_sheet_has_a_text_hints_and_what_to_try_next() {
        let sheet = Sheet::parse(
            "# Add\n\nAdd them.\n\n## Hint 1\n\nOne.\n\n## Hint 2\n\nTwo.\n\n\
             ```rust\nlet a = 2;\n```\n\n## What to try next\n\n- More.\n",
        );
        assert_eq!(sheet.title, "Add");
        assert_eq!(sheet.text.len(), 1);
        assert_eq!(sheet.hints.len(), 2);
        assert!(matches!(&sheet.hints[1][1], Block::Code(code) if code.language() == "rust"));
        assert!(matches!(&sheet.next[..], [Block::Prose(text)] if text.contains("More.")));
    }
}

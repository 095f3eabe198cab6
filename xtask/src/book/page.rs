use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use course::Course;
use course::document::Document;

/// A page of the book.
#[derive(Debug)]
pub(super) struct Page {
    /// Where its text is, relative to the root of the checkout.
    pub(super) path: PathBuf,
    /// What its file is called in the book, without an ending.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) place: Place,
}

/// Where a page stands in the table of contents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Before,
    Lesson,
    BelowLesson,
    After,
}

/// Gives the pages in order. A text that is not there has none, but for the lessons.
pub(super) fn all(course: &Course) -> anyhow::Result<Vec<Page>> {
    let read = |path: PathBuf, name: String, place: Place| {
        let place_in_checkout = course.root.join(&path);
        let text = fs::read_to_string(&place_in_checkout)
            .with_context(|| format!("{} cannot be read", place_in_checkout.display()))?;
        let title = Document::parse(&text).title;
        anyhow::Ok(Page {
            path,
            name,
            title,
            text,
            place,
        })
    };
    let is_there = |path: &str| course.root.join(path).is_file();
    let mut pages = Vec::new();
    for (path, name, title) in [
        ("README.md", "index", "About this course"),
        ("lessons/README.md", "course", "Welcome and farewell"),
    ] {
        if is_there(path) {
            let mut page = read(path.into(), name.to_owned(), Place::Before)?;
            title.clone_into(&mut page.title);
            pages.push(page);
        }
    }
    for lesson in &course.lessons {
        let name = &lesson.name;
        let folder = PathBuf::from("lessons").join(lesson.folder.file_name().unwrap_or_default());
        pages.push(read(folder.join("README.md"), name.clone(), Place::Lesson)?);
        let task = folder.join("exercise").join("task.md");
        if course.root.join(&task).is_file() {
            let mut page = read(task, format!("{name}-exercise"), Place::BelowLesson)?;
            page.text = with_folded_hints(&page.text);
            page.title = format!("Exercise: {}", page.title);
            pages.push(page);
        }
    }
    if is_there("CONTRIBUTING.md") {
        let name = "contributing".to_owned();
        pages.push(read("CONTRIBUTING.md".into(), name, Place::After)?);
    }
    Ok(pages)
}

/// Folds the hints of an exercise, so that nobody reads them by accident.
fn with_folded_hints(text: &str) -> String {
    let mut folded = String::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            if is_open {
                folded.push_str("</details>\n\n");
            }
            is_open = heading.starts_with("Hint ");
            if is_open {
                folded.push_str("<details><summary>");
                folded.push_str(heading);
                folded.push_str("</summary>\n");
                continue;
            }
        }
        folded.push_str(line);
        folded.push('\n');
    }
    if is_open {
        folded.push_str("\n</details>\n");
    }
    folded
}

impl Page {
    /// Gives the page's line in the table of contents.
    pub(super) fn entry(&self) -> String {
        let before = match self.place {
            Place::Before | Place::After => "",
            Place::Lesson => "- ",
            Place::BelowLesson => "  - ",
        };
        format!("{before}[{}]({}.md)\n", self.title, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::with_folded_hints;

    #[test]
    fn hints_are_folded_and_the_rest_is_not() {
        let text = "# Add\n\nAdd.\n\n## Hint 1\n\nOne.\n\n## Hint 2\n\nTwo.\n\n## Next\n\nMore.\n";
        assert_eq!(
            with_folded_hints(text),
            "# Add\n\nAdd.\n\n<details><summary>Hint 1</summary>\n\nOne.\n\n</details>\n\n\
             <details><summary>Hint 2</summary>\n\nTwo.\n\n</details>\n\n## Next\n\nMore.\n"
        );
    }
}

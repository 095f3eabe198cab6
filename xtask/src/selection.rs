use course::misuse::{Misuse, suggestion};
use course::{Course, Lesson};

/// A lesson to be played.
#[derive(Debug)]
pub(crate) struct Selected<'a> {
    pub(crate) lesson: &'a Lesson,
    pub(crate) part: Part,
}

/// How much of a lesson is played.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    /// Everything, with the opening and the closing sections.
    Whole,
    /// These steps, in this order.
    Steps(Vec<String>),
}

/// Understands words such as `threads pool map 6`: lessons by name or number, each followed by the
/// steps that are wanted of it. No word means every lesson.
pub(crate) fn of_words<'a>(
    course: &'a Course,
    words: &[String],
) -> anyhow::Result<Vec<Selected<'a>>> {
    if words.is_empty() {
        return Ok(course.lessons.iter().map(whole).collect());
    }
    let mut selected: Vec<Selected> = Vec::new();
    let mut steps_of_last: Vec<String> = Vec::new();
    for word in words {
        // A lesson's step comes first: `lesson pool map` is never about a lesson called map.
        if let Some(last) = selected.last_mut()
            && steps_of_last.contains(word)
        {
            last.add(word);
        } else if let Some(lesson) = course.lesson_if_any(word) {
            steps_of_last = step_names(lesson)?;
            selected.push(whole(lesson));
        } else if let Some(last) = selected.last() {
            return Err(neither(course, last.lesson, &steps_of_last, word).into());
        } else {
            course.lesson(word)?;
        }
    }
    Ok(selected)
}

fn whole(lesson: &Lesson) -> Selected<'_> {
    Selected {
        lesson,
        part: Part::Whole,
    }
}

impl Selected<'_> {
    fn add(&mut self, step: &str) {
        match &mut self.part {
            Part::Whole => self.part = Part::Steps(vec![step.to_owned()]),
            Part::Steps(steps) => steps.push(step.to_owned()),
        }
    }
}

fn step_names(lesson: &Lesson) -> anyhow::Result<Vec<String>> {
    let readme = lesson.readme()?;
    Ok(readme.steps().map(str::to_owned).collect())
}

fn neither(course: &Course, lesson: &Lesson, steps: &[String], word: &str) -> Misuse {
    let names = steps.iter().map(String::as_str).chain(course.names());
    let suggestion = suggestion(word, names);
    Misuse(format!(
        "`{word}` is neither a step of lesson {} nor a lesson{suggestion}\n\
         The steps of {} are {}; `cargo xtask list` shows those of every lesson",
        lesson.name,
        lesson.name,
        steps.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::{Part, of_words};
    use course::Course;
    use std::fs;
    use tempfile::TempDir;

    /// Three lessons, each with the steps `map` and `squares`.
    fn course() -> (TempDir, Course) {
        let root = tempfile::tempdir().unwrap();
        for (name, number) in [("threads", 1), ("pool", 5), ("queue", 6)] {
            let folder = root.path().join("lessons").join(name);
            fs::create_dir_all(&folder).unwrap();
            let manifest = format!(
                "package.name = \"{name}\"\n\
                 package.metadata.lesson = {{ number = {number}, title = \"T\", minutes = 1 }}\n"
            );
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
            let readme = "# T\n\n## map: one\n\n## squares: two\n\n## More\n";
            fs::write(folder.join("README.md"), readme).unwrap();
        }
        let course = Course::find(root.path().to_owned()).unwrap();
        (root, course)
    }

    fn words(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Writes a selection down as `lesson` or `lesson:step+step`.
    fn chosen(line: &str) -> Result<Vec<String>, String> {
        let (_folder, course) = course();
        let selected = of_words(&course, &words(line)).map_err(|error| error.to_string())?;
        let text = selected.into_iter().map(|one| match one.part {
            Part::Whole => one.lesson.name.clone(),
            Part::Steps(steps) => format!("{}:{}", one.lesson.name, steps.join("+")),
        });
        Ok(text.collect())
    }

    #[test]
    fn no_word_means_the_whole_course() {
        assert_eq!(chosen("").unwrap(), ["threads", "pool", "queue"]);
    }

    #[test]
    fn lessons_are_named_or_numbered_and_steps_follow_their_lesson() {
        assert_eq!(
            chosen("queue 5 map squares threads map").unwrap(),
            ["queue", "pool:map+squares", "threads:map"]
        );
    }

    #[test]
    fn an_unknown_lesson_is_refused_with_the_nearest() {
        let error = chosen("quue").unwrap_err();
        assert!(error.contains("`quue`; did you mean `queue`?"), "{error}");
        assert!(error.contains("cargo xtask lesson --list"), "{error}");
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_nearest() {
        let error = chosen("pool mpa").unwrap_err();
        assert!(
            error.contains("`mpa` is neither a step of lesson pool nor a lesson"),
            "{error}"
        );
        assert!(error.contains("did you mean `map`?"), "{error}");
    }
}

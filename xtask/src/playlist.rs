//! What is played: lessons and steps as scenes, in their order.

use std::fs;
use std::io;

use anyhow::Context;

use course::document::{Block, Document, Section};
use course::misuse::{Misuse, suggestion};
use course::{Course, Lesson, command};

/// What is shown between two pauses. A step has one more pause, before its run.
#[derive(Default)]
pub(crate) struct Scene<'a> {
    /// The lesson that it belongs to, unless it is of the course as a whole.
    pub(crate) lesson: Option<&'a Lesson>,
    /// Where in the course this is, and what it is about.
    pub(crate) title: Option<[String; 2]>,
    /// Whether the title is shown even if the scene before has the same one.
    pub(crate) is_opening: bool,
    /// Sections: their headings, and what is below these.
    pub(crate) parts: Vec<(Option<String>, Vec<Block>)>,
    /// The step that is run then, and what is shown after its run.
    pub(crate) step: Option<(String, Vec<Block>)>,
    /// What goes after `--from` to play from here on. A scene without a name of its own has that of
    /// the scene before it; after the last step there is nothing to go on with.
    pub(crate) resume: Option<String>,
}

/// Returns what words such as `threads pool map 6` ask for: lessons by name or number, each followed
/// by the steps that are wanted of it. Without a word it is the whole course, with its welcome and
/// farewell.
pub(crate) fn scenes<'a>(course: &'a Course, words: &[String]) -> anyhow::Result<Vec<Scene<'a>>> {
    let mut scenes = Vec::new();
    if words.is_empty() {
        for lesson in &course.lessons {
            scenes.extend(of_lesson(course, lesson)?);
        }
        add_frame(course, &mut scenes)?;
    }
    let mut last = None;
    // Where the scenes of a lesson begin of which no step has been named.
    let mut whole = None;
    for word in words {
        let mut steps = match last {
            Some(lesson) => of_lesson(course, lesson)?.into_iter(),
            None => Vec::new().into_iter(),
        };
        // A lesson's step comes first: `lesson pool map` is never about a lesson called map.
        if let Some(step) = steps.find(|scene: &Scene| scene.shows(word)) {
            scenes.truncate(whole.take().unwrap_or(scenes.len()));
            scenes.push(step);
            continue;
        }
        let lesson = match (last, course.lesson_if_any(word)) {
            (_, Some(lesson)) => lesson,
            (None, None) => course.lesson(word)?,
            (Some(last), None) => return Err(neither(course, last, word)?.into()),
        };
        whole = Some(scenes.len());
        scenes.extend(of_lesson(course, lesson)?);
        last = Some(lesson);
    }
    Ok(scenes)
}

fn neither(course: &Course, lesson: &Lesson, word: &str) -> anyhow::Result<Misuse> {
    let script = lesson.readme()?;
    let steps: Vec<&str> = script.steps().collect();
    Ok(Misuse(format!(
        "`{word}` is neither a step of lesson {name} nor a lesson{}\n\
         The steps of {name} are {}; `cargo xtask lesson --list` shows those of every lesson",
        suggestion(word, steps.iter().copied().chain(course.names())),
        steps.join(", "),
        name = lesson.name,
    )))
}

/// Leaves out what comes before a lesson, or before a step of it.
pub(crate) fn begin_at(
    scenes: &mut Vec<Scene>,
    course: &Course,
    from: &[String],
) -> anyhow::Result<()> {
    let (name, step) = match from {
        [] => return Ok(()),
        [lesson] => (lesson, None),
        [lesson, step] => (lesson, Some(step)),
        _ => {
            let message = "--from takes a lesson and at most one of its steps";
            return Err(Misuse(message.to_owned()).into());
        }
    };
    let lesson = course.lesson(name)?;
    if let Some(step) = step {
        lesson.step(&lesson.readme()?, step)?;
    }
    let is_first = |scene: &Scene| {
        scene.number() == Some(lesson.number) && step.is_none_or(|step| scene.shows(step))
    };
    let first = scenes.iter().position(is_first).ok_or_else(|| {
        Misuse(format!(
            "{} is not among what is to be played: name it, too, or leave out --from",
            from.join(" ")
        ))
    })?;
    scenes.drain(..first);
    Ok(())
}

/// Returns the place of the first scene of another lesson after this one, or of the farewell.
pub(crate) fn next_lesson(scenes: &[Scene], place: usize) -> Option<usize> {
    let here = scenes.get(place)?.number();
    (place + 1..scenes.len()).find(|later| scenes[*later].number() != here)
}

impl Scene<'_> {
    /// Returns the number of the lesson.
    pub(crate) fn number(&self) -> Option<u32> {
        self.lesson.map(|lesson| lesson.number)
    }

    fn shows(&self, step: &str) -> bool {
        self.step.as_ref().is_some_and(|(name, _)| name == step)
    }
}

/// Returns the scenes of a whole lesson: what comes before the first step, each step, and the
/// sections between and after them.
fn of_lesson<'a>(course: &Course, lesson: &'a Lesson) -> anyhow::Result<Vec<Scene<'a>>> {
    let script = lesson.readme()?;
    let place = format!("Lesson {} of {}", lesson.number, course.lessons.len());
    let scene = |heading, blocks, resume| Scene {
        lesson: Some(lesson),
        title: Some([place.clone(), lesson.title.clone()]),
        parts: vec![(heading, blocks)],
        resume,
        ..Scene::default()
    };
    let mut last = scene(None, script.opening, Some(lesson.name.clone()));
    last.is_opening = true;
    let mut scenes = Vec::new();
    for section in script.sections {
        let next = if let Some(name) = section.step.clone() {
            let heading = format!("Step {name}: {}", section.words);
            let (before, after) = around_run(section, &command(&lesson.name, &name));
            let resume = format!("{} {name}", lesson.name);
            let mut next = scene(Some(heading), before, Some(resume));
            next.step = Some((name, after));
            next
        } else if last.step.is_some() {
            scene(Some(section.heading), section.blocks, last.resume.clone())
        } else {
            last.parts.push((Some(section.heading), section.blocks));
            continue;
        };
        scenes.push(std::mem::replace(&mut last, next));
    }
    scenes.push(last);
    Ok(scenes)
}

/// Divides a section into what is before and after the recorded run: a live one takes its place.
fn around_run(section: Section, command: &str) -> (Vec<Block>, Vec<Block>) {
    let is_run = |block: &Block| matches!(block, Block::Code(code) if code.is_run_of(command));
    let mut blocks = section.blocks.into_iter();
    let before = blocks.by_ref().take_while(|block| !is_run(block));
    (before.collect(), blocks.collect())
}

/// Adds the words with which the whole course begins and ends: of `lessons/README.md` the sections
/// `Welcome` and `Farewell`. A course without that file has neither.
fn add_frame(course: &Course, scenes: &mut Vec<Scene>) -> anyhow::Result<()> {
    let path = course.root.join("lessons").join("README.md");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.with_context(|| format!("{} cannot be read", path.display()))?,
    };
    let script = Document::parse(&text);
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let size = format!("{} lessons, about {minutes} minutes", course.lessons.len());
    for section in script.sections {
        let mut scene = Scene::default();
        if section.heading == "Welcome" {
            scene.title = Some([size.clone(), script.title.clone()]);
            scene.is_opening = true;
            scene.parts = vec![(None, section.blocks)];
            scene.resume = Some(String::new());
            scenes.insert(0, scene);
        } else if section.heading == "Farewell" {
            scene.parts = vec![(Some(section.heading), section.blocks)];
            scenes.push(scene);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Scene, begin_at, next_lesson, scenes};
    use course::Course;
    use std::fs;
    use tempfile::TempDir;

    /// The lessons pool and queue, with two steps each, and words for the whole course.
    fn course() -> (TempDir, Course) {
        let root = tempfile::tempdir().unwrap();
        for (name, number, words) in [("pool", 5, "## More\n\n## And more\n"), ("queue", 6, "")] {
            let folder = root.path().join("lessons").join(name);
            fs::create_dir_all(&folder).unwrap();
            let manifest = format!(
                "package.name = \"{name}\"\n\
                 package.metadata.lesson = {{ number = {number}, title = \"T\", minutes = 1 }}\n"
            );
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
            let readme = format!(
                "# T\n\n## Why\n\n## map: one\n\nBefore.\n\n```console\n\
                 $ cargo run -q -p {name} -- map\n```\n\nAfter.\n\n## squares: two\n\n{words}"
            );
            fs::write(folder.join("README.md"), readme).unwrap();
        }
        let frame = "# T\n\nno\n\n## Welcome\n\n## Notes\n\nno\n\n## Farewell\n\nThere.\n";
        fs::write(root.path().join("lessons/README.md"), frame).unwrap();
        let course = Course::find(root.path().to_owned()).unwrap();
        (root, course)
    }

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// Names what a scene shows; in brackets, if it has no name of its own.
    fn name(scene: &Scene) -> String {
        let resume = scene.resume.clone().unwrap_or("farewell".to_owned());
        if scene.is_opening || scene.step.is_some() {
            return resume;
        }
        format!("({resume})")
    }

    /// Returns the names of the scenes that a command line asks for, or the error.
    fn played(line: &str) -> Result<String, String> {
        let (_folder, course) = course();
        let (line, from) = line.split_once("--from").unwrap_or((line, ""));
        let mut all = scenes(&course, &words(line)).map_err(|error| error.to_string())?;
        begin_at(&mut all, &course, &words(from)).map_err(|error| error.to_string())?;
        Ok(all.iter().map(name).collect::<Vec<_>>().join(", "))
    }

    const ALL: &str = ", pool, pool map, pool squares, (pool squares), \
                       queue, queue map, queue squares, (farewell)";

    #[test]
    fn lessons_and_steps_are_played_in_the_order_in_which_they_are_named() {
        assert_eq!(played("").unwrap(), ALL, "with a welcome and a farewell");
        let expected = "queue squares, queue map, pool, pool map, pool squares, (pool squares)";
        assert_eq!(played("queue squares map 5").unwrap(), expected);
        let expected = "queue, queue map, queue squares, pool map";
        assert_eq!(played("queue pool map").unwrap(), expected);
    }

    #[test]
    fn the_playing_begins_at_a_lesson_or_at_a_step() {
        assert_eq!(played("--from pool").unwrap(), ALL[2..]);
        let rest = ALL.find("pool squares").unwrap();
        assert_eq!(played("--from 5 squares").unwrap(), ALL[rest..]);
        assert_eq!(played("queue pool map --from pool").unwrap(), "pool map");
    }

    #[test]
    fn what_is_not_there_is_refused_with_the_nearest() {
        let refused = "quue: no lesson `quue`; did you mean `queue`?
            pool mpa: neither a step of lesson pool nor a lesson; did you mean `map`?
            pool mpa: The steps of pool are map, squares
            --from quue: no lesson `quue`; did you mean `queue`?
            --from pool mpa: lesson pool has no step `mpa`; did you mean `map`?
            --from pool map more: at most one of its steps
            pool --from queue: queue is not among what is to be played
            pool map --from pool squares: pool squares is not among";
        for (line, message) in refused.lines().filter_map(|line| line.split_once(": ")) {
            let error = played(line).unwrap_err();
            assert!(error.contains(message), "{line}: {error}");
        }
    }

    #[test]
    fn a_step_is_shown_around_its_run_and_other_sections_come_together() {
        let (_folder, course) = course();
        let scenes = scenes(&course, &words("pool")).unwrap();
        assert_eq!(
            scenes[0].parts.len(),
            2,
            "the opening has the section before the steps"
        );
        let (heading, before) = &scenes[1].parts[0];
        assert_eq!(heading.as_deref(), Some("Step map: one"));
        let after = &scenes[1].step.as_ref().unwrap().1;
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_eq!(scenes[3].parts.len(), 2);
    }

    #[test]
    fn after_the_last_lesson_comes_the_farewell() {
        let (_folder, course) = course();
        let scenes = scenes(&course, &[]).unwrap();
        let next = [0, 2, 6, 8].map(|place| next_lesson(&scenes, place));
        assert_eq!(next, [Some(1), Some(5), Some(8), None]);
    }
}

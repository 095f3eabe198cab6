//! What is played: lessons and steps as scenes, in their order.

use anyhow::ensure;

use course::document::{Block, Document};
use course::misuse::{Misuse, suggestion};
use course::source::text_of;
use course::{Course, Lesson, command};

/// What is shown between two pauses. A step has one more pause, before its run.
#[derive(Default)]
pub(crate) struct Scene<'a> {
    /// The lesson that it belongs to, unless it is of the course as a whole.
    pub(crate) lesson: Option<&'a Lesson>,
    /// What is shown, headings included; of a step what comes before its run.
    pub(crate) before: Vec<Block>,
    /// The step that is run then.
    pub(crate) step: Option<String>,
    pub(crate) after: Vec<Block>,
    /// What goes after `--from` to play from here on. A scene without a name of its own has that of
    /// the scene before it; after the last step there is nothing to go on with.
    pub(crate) resume: Option<String>,
}

/// Returns what words such as `threads pool map 6` ask for: lessons by name or number, each followed
/// by the steps that are wanted of it. Without a word it is the whole course, with its welcome and
/// farewell.
pub(crate) fn scenes<'a>(course: &'a Course, words: &[String]) -> anyhow::Result<Vec<Scene<'a>>> {
    let mut wanted: Vec<(&Lesson, Vec<&String>)> = Vec::new();
    for word in words {
        // A lesson's step comes first: `lesson pool map` is never about a lesson called map.
        if let Some((lesson, chosen)) = wanted.last_mut() {
            let script = lesson.readme()?;
            let steps: Vec<&str> = script.steps().collect();
            if steps.contains(&word.as_str()) {
                chosen.push(word);
                continue;
            }
            ensure!(
                course.lesson_if_any(word).is_some(),
                Misuse(format!(
                    "`{word}` is neither a step of lesson {name} nor a lesson{}\nThe steps of {name} \
                     are {}; `cargo xtask lesson --list` shows those of every lesson",
                    suggestion(word, steps.iter().copied().chain(course.names())),
                    steps.join(", "),
                    name = lesson.name,
                ))
            );
        }
        wanted.push((course.lesson(word)?, Vec::new()));
    }
    if words.is_empty() {
        wanted.extend(course.lessons.iter().map(|lesson| (lesson, Vec::new())));
    }
    let mut scenes = Vec::new();
    for (lesson, steps) in wanted {
        if steps.is_empty() {
            scenes.extend(of_lesson(course, lesson)?);
        }
        for step in steps {
            let all = of_lesson(course, lesson)?.into_iter();
            scenes.extend(all.filter(|scene| scene.step.as_ref() == Some(step)));
        }
    }
    if words.is_empty() {
        add_frame(course, &mut scenes)?;
    }
    Ok(scenes)
}

/// Leaves out what comes before a lesson, or before a step of it.
pub(crate) fn begin_at(
    scenes: &mut Vec<Scene>,
    course: &Course,
    from: &[String],
) -> anyhow::Result<()> {
    let Some((lesson, step)) = from.split_first() else {
        return Ok(());
    };
    let lesson = course.lesson(lesson)?;
    for step in step {
        lesson.step(&lesson.readme()?, step)?;
    }
    let first = scenes.iter().position(|scene| {
        let is_it = step.iter().all(|step| scene.step.as_ref() == Some(step));
        is_it && scene.number() == Some(lesson.number)
    });
    let first = first.ok_or_else(|| {
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
    fn number(&self) -> Option<u32> {
        self.lesson.map(|lesson| lesson.number)
    }
}

/// Returns the scenes of a whole lesson: what comes before the first step, each step, and the
/// sections between and after them.
fn of_lesson<'a>(course: &Course, lesson: &'a Lesson) -> anyhow::Result<Vec<Scene<'a>>> {
    let script = lesson.readme()?;
    let Lesson {
        name,
        number,
        title,
        ..
    } = lesson;
    let title = format!("# Lesson {number} of {}: {title}", course.lessons.len());
    let mut last = Scene {
        lesson: Some(lesson),
        before: headed(&title, script.opening),
        resume: Some(name.clone()),
        ..Scene::default()
    };
    let mut scenes = Vec::new();
    for section in script.sections {
        let mut next = Scene {
            lesson: Some(lesson),
            ..Scene::default()
        };
        if let Some(step) = &section.step {
            let heading = format!("## Lesson {name}, step {step}: {}", section.words());
            let command = command(name, step);
            let is_run =
                |block: &Block| matches!(block, Block::Code(code) if code.is_run_of(&command));
            next.resume = Some(format!("{name} {step}"));
            next.step = section.step;
            let mut blocks = headed(&heading, section.blocks).into_iter();
            // A live run takes the place of the recorded one.
            next.before = blocks.by_ref().take_while(|block| !is_run(block)).collect();
            next.after = blocks.collect();
        } else {
            let blocks = headed(&format!("## {}", section.heading), section.blocks);
            if last.step.is_none() {
                last.before.extend(blocks);
                continue;
            }
            next.resume.clone_from(&last.resume);
            next.before = blocks;
        }
        scenes.push(std::mem::replace(&mut last, next));
    }
    scenes.push(last);
    Ok(scenes)
}

/// Puts a heading above blocks, as one with the first one's prose, so that no page ends with it.
fn headed(heading: &str, mut blocks: Vec<Block>) -> Vec<Block> {
    let heading = format!("{heading}\n\n");
    match blocks.first_mut() {
        Some(Block::Prose(text)) => text.insert_str(0, &heading),
        _ => blocks.insert(0, Block::Prose(heading)),
    }
    blocks
}

/// Adds the words with which the whole course begins and ends: of `lessons/README.md` the sections
/// `Welcome` and `Farewell`. A course without that file has neither.
fn add_frame(course: &Course, scenes: &mut Vec<Scene>) -> anyhow::Result<()> {
    let path = course.root.join("lessons").join("README.md");
    if !path.exists() {
        return Ok(());
    }
    let script = Document::parse(&text_of(&path)?);
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let count = course.lessons.len();
    let title = format!(
        "# {}\n\n{count} lessons, about {minutes} minutes.",
        script.title
    );
    for section in script.sections {
        let mut scene = Scene::default();
        if section.heading == "Welcome" {
            scene.before = headed(&title, section.blocks);
            scene.resume = Some(String::new());
            scenes.insert(0, scene);
        } else if section.heading == "Farewell" {
            scene.before = headed("## Farewell", section.blocks);
            scenes.push(scene);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Scene, begin_at, next_lesson, scenes};
    use course::{Course, document::Block};
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

    /// Returns what a command line plays: the step or, in brackets, the last one before, of each
    /// scene; or else the error.
    fn played(line: &str) -> String {
        let (_folder, course) = course();
        let words = |line: &str| -> Vec<_> { line.split_whitespace().map(str::to_owned).collect() };
        let (line, from) = line.split_once("--from").unwrap_or((line, ""));
        let played = scenes(&course, &words(line)).and_then(|mut scenes| {
            begin_at(&mut scenes, &course, &words(from))?;
            let name = |scene: &Scene| match (&scene.resume, &scene.step) {
                (Some(name), Some(_)) => name.clone(),
                (name, _) => format!("({})", name.as_deref().unwrap_or("farewell")),
            };
            Ok(scenes.iter().map(name).collect::<Vec<_>>().join(", "))
        });
        played.unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn what_is_named_is_played_in_its_order_and_what_is_not_there_is_refused_with_the_nearest() {
        for (line, expected) in [
            (
                "",
                "(), (pool), pool map, pool squares, (pool squares), (queue), queue map, ",
            ),
            (
                "queue squares map 5",
                "queue squares, queue map, (pool), pool map, pool squares, (",
            ),
            (
                "queue pool map",
                "(queue), queue map, queue squares, pool map",
            ),
            (
                "--from queue",
                "(queue), queue map, queue squares, (farewell)",
            ),
            ("--from 6 squares", "queue squares, (farewell)"),
            ("queue pool map --from pool", "pool map"),
            ("quue", "there is no lesson `quue`; did you mean `queue`?"),
            (
                "pool mpa",
                "`mpa` is neither a step of lesson pool nor a lesson; did you mean `map`?\n\
                          The steps of pool are map, squares;",
            ),
            (
                "--from quue",
                "there is no lesson `quue`; did you mean `queue`?",
            ),
            (
                "--from pool mpa",
                "lesson pool has no step `mpa`; did you mean `map`?",
            ),
            (
                "--from pool map squares",
                "pool map squares is not among what is to be played",
            ),
            (
                "pool --from queue",
                "queue is not among what is to be played",
            ),
            ("pool map --from pool squares", "pool squares is not among"),
        ] {
            let played = played(line);
            assert!(played.starts_with(expected), "{line}: {played}");
        }
    }

    #[test]
    fn a_step_is_shown_around_its_run_and_other_sections_come_together() {
        let (_folder, course) = course();
        let scenes = scenes(&course, &[]).unwrap();
        let shown = |blocks: &[Block]| {
            let texts = blocks.iter().map(|block| match block {
                Block::Prose(text) => text.as_str(),
                Block::Code(code) => &code.text,
            });
            texts.collect::<String>().trim().to_owned()
        };
        let before = scenes[1..5].iter().map(|scene| shown(&scene.before));
        let expected = [
            "# Lesson 5 of 2: T\n\n## Why",
            "## Lesson pool, step map: one\n\nBefore.",
            "## Lesson pool, step squares: two",
            "## More\n\n## And more",
        ];
        assert_eq!(before.collect::<Vec<_>>(), expected);
        assert_eq!(shown(&scenes[2].after), "After.");
        let next = [0, 2, 6, 8].map(|place| next_lesson(&scenes, place));
        assert_eq!(
            next,
            [Some(1), Some(5), Some(8), None],
            "the farewell is last"
        );
    }
}

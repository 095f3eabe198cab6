//! The scenes to play: lessons and steps, in order.

use anyhow::ensure;
use regex_lite::Regex;

use course::document::{Block, Document};
use course::misuse::{Misuse, suggestion};
use course::source::text_of;
use course::{Course, Lesson, command};

/// What a scene begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Kind {
    #[default]
    Text,
    /// The run of a step's Python counterpart.
    Python,
    /// The run of a step.
    Rust,
}

/// What is shown between two waits. A step has two scenes, its text and its run with the answer; or three,
/// with the run in Python between them.
#[derive(Default)]
pub(crate) struct Scene<'a> {
    /// The lesson of the scene; `None` for the welcome and the farewell.
    pub(crate) lesson: Option<&'a Lesson>,
    pub(crate) step: Option<String>,
    /// What stands above the scene's pages, such as `4 Locks · race · step 1 of 7`.
    pub(crate) title: String,
    /// The heading of the scene's section.
    pub(crate) heading: String,
    /// The planned time. The text of a step has that of all its scenes, an equal share of the lesson's.
    pub(crate) seconds: u32,
    pub(crate) kind: Kind,
    /// The question that the step asks before its run.
    pub(crate) question: String,
    /// The text and code, including headings.
    pub(crate) blocks: Vec<Block>,
    /// The argument of `--from` that starts here, or at the nearest step before. The farewell has none.
    pub(crate) resume: Option<String>,
}

impl Scene<'_> {
    /// Returns the number of the scene's lesson, if it's in one.
    pub(crate) fn lesson_number(&self) -> Option<u32> {
        self.lesson.map(|lesson| lesson.number)
    }
}

/// Returns the scenes for a command line such as `threads pool map 6`: lessons by name or number, each
/// followed by steps or not. Without words, it's the whole course, with its welcome and farewell. With
/// `python`, each step's counterpart runs before it.
pub(crate) fn scenes<'a>(
    course: &'a Course,
    words: &[String],
    python: bool,
) -> anyhow::Result<Vec<Scene<'a>>> {
    let mut wanted: Vec<(&Lesson, Vec<&String>)> = Vec::new();
    for word in words {
        // Steps come before lessons: in `lesson pool map`, `map` is a step, even if a lesson has that name.
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
    scenes.retain(|scene| python || scene.kind != Kind::Python);
    Ok(scenes)
}

/// Removes the scenes before a lesson, or before one of its steps.
pub(crate) fn begin_at(
    scenes: &mut Vec<Scene>,
    course: &Course,
    from: &[String],
) -> anyhow::Result<()> {
    let Some((lesson, step)) = from.split_first() else {
        return Ok(());
    };
    let lesson = course.lesson(lesson)?;
    let too_many = || Misuse("--from takes a lesson and at most one of its steps".to_owned());
    ensure!(step.len() <= 1, too_many());
    for step in step {
        lesson.step(&lesson.readme()?, step)?;
    }
    let first = scenes.iter().position(|scene| {
        scene.lesson_number() == Some(lesson.number)
            && step.iter().all(|step| scene.step.as_ref() == Some(step))
    });
    let first = first.ok_or_else(|| {
        Misuse(format!(
            "{} is not in the lessons and steps to play: add it, or leave out --from",
            from.join(" ")
        ))
    })?;
    scenes.drain(..first);
    Ok(())
}

/// Returns the index of the first scene after this lesson, if there is one.
pub(crate) fn next_lesson(scenes: &[Scene], place: usize) -> Option<usize> {
    let here = scenes[place].lesson_number();
    (place + 1..scenes.len()).find(|later| scenes[*later].lesson_number() != here)
}

/// Returns the place where the step, or the text without a step, of this place begins: with its text.
pub(crate) fn start(scenes: &[Scene], place: usize) -> usize {
    let mut places = (0..=place).rev();
    let start = places.find(|place| scenes[*place].kind == Kind::Text);
    start.unwrap_or(0)
}

/// Returns the scenes of a whole lesson: its opening, its steps, and the sections between and after them.
fn of_lesson<'a>(course: &Course, lesson: &'a Lesson) -> anyhow::Result<Vec<Scene<'a>>> {
    let script = lesson.readme()?;
    let (name, count) = (&lesson.name, course.lessons.len());
    let steps = script.steps().fold(0, |count, _| count + 1);
    let mut number = 0;
    let short = lesson.title.split(':').next().unwrap_or_default();
    let short = format!("{} {short}", lesson.number);
    let title = format!("# Lesson {} of {count}: {}", lesson.number, lesson.title);
    let mut scenes = vec![Scene {
        lesson: Some(lesson),
        title: format!("{} {}", lesson.number, lesson.title),
        heading: title.trim_start_matches("# ").to_owned(),
        blocks: headed(&title, script.opening),
        resume: Some(name.clone()),
        ..Scene::default()
    }];
    for section in script.sections {
        let last = scenes.last_mut().expect("the opening");
        let Some(step) = &section.step else {
            let blocks = headed(&format!("## {}", section.heading), section.blocks);
            if last.step.is_none() {
                last.blocks.extend(blocks);
                continue;
            }
            let resume = last.resume.clone();
            scenes.push(Scene {
                lesson: Some(lesson),
                title: format!("{short} \u{b7} {}", section.heading),
                heading: section.heading,
                blocks,
                resume,
                ..Scene::default()
            });
            continue;
        };
        let heading = format!("## Lesson {name}, step {step}: {}", section.words);
        let command = command(name, step);
        let is_recorded =
            |block: &Block| matches!(block, Block::Code(code) if code.is_run_of(&command));
        number += 1;
        let mut blocks = headed(&heading, section.blocks).into_iter();
        let before = blocks.by_ref().take_while(|block| !is_recorded(block));
        let before: Vec<Block> = before.collect();
        let question = question(&before);
        let scene = |kind, blocks| Scene {
            lesson: Some(lesson),
            title: format!("{short} \u{b7} {step} \u{b7} step {number} of {steps}"),
            heading: section.heading.clone(),
            step: Some(step.clone()),
            seconds: [0, lesson.minutes * 60 / steps][usize::from(kind == Kind::Text)],
            kind,
            question: question.clone(),
            blocks,
            resume: Some(format!("{name} {step}")),
        };
        scenes.push(scene(Kind::Text, before));
        scenes.push(scene(Kind::Python, Vec::new()));
        scenes.push(scene(Kind::Rust, blocks.collect()));
    }
    Ok(scenes)
}

/// Returns the last text in bold that ends in a question mark, on one line; empty if there's none.
fn question(blocks: &[Block]) -> String {
    let bold = Regex::new(r"\*\*([^*]+\?)\*\*").expect("the pattern is correct");
    let prose = blocks.iter().filter_map(|block| match block {
        Block::Prose(text) => Some(text),
        Block::Code(_) => None,
    });
    let found = prose.flat_map(|text| bold.captures_iter(text)).last();
    let words = found.iter().flat_map(|found| found[1].split_whitespace());
    words.collect::<Vec<_>>().join(" ").replace('`', "")
}

/// Puts a heading above blocks, joined with the first prose, so that it's never last on a page.
fn headed(heading: &str, mut blocks: Vec<Block>) -> Vec<Block> {
    let heading = format!("{heading}\n\n");
    match blocks.first_mut() {
        Some(Block::Prose(text)) => text.insert_str(0, &heading),
        _ => blocks.insert(0, Block::Prose(heading)),
    }
    blocks
}

/// Adds the sections `Welcome` and `Farewell` of `lessons/README.md`, if that exists.
fn add_frame(course: &Course, scenes: &mut Vec<Scene>) -> anyhow::Result<()> {
    let path = course.root.join("lessons").join("README.md");
    if !path.exists() {
        return Ok(());
    }
    let script = Document::parse(&text_of(&path)?);
    let minutes: u32 = course.lessons.iter().map(|lesson| lesson.minutes).sum();
    let count = course.lessons.len();
    let title = script.title;
    let title = format!("# {title}\n\n{count} lessons, about {minutes} minutes.");
    for section in script.sections {
        let mut scene = Scene {
            title: section.heading.clone(),
            heading: section.heading.clone(),
            ..Scene::default()
        };
        if section.heading == "Welcome" {
            scene.blocks = headed(&title, section.blocks);
            scene.resume = Some(String::new());
            scenes.insert(0, scene);
        } else if section.heading == "Farewell" {
            scene.blocks = headed("## Farewell", section.blocks);
            scenes.push(scene);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Scene, begin_at, scenes};
    use course::{Course, Lesson};
    use std::fs;
    use tempfile::TempDir;

    /// Makes the lessons pool and queue with two steps each, a welcome and a farewell.
    fn course() -> (TempDir, Course) {
        let root = tempfile::tempdir().unwrap();
        let lesson = |name: &str, number, words| {
            let folder = root.path().join("lessons").join(name);
            fs::create_dir_all(&folder).unwrap();
            let readme = format!("# T\n\n## Why\n\n## map: one\n\n## squares: two\n\n{words}");
            fs::write(folder.join("README.md"), readme).unwrap();
            Lesson {
                name: name.to_owned(),
                number,
                title: String::new(),
                minutes: 1,
                folder,
            }
        };
        let pool = lesson("pool", 5, "## More\n\n## And more\n");
        let lessons = vec![pool, lesson("queue", 6, "")];
        let frame = "# T\n\n## Welcome\n\n## Notes\n\n## Farewell\n";
        fs::write(root.path().join("lessons/README.md"), frame).unwrap();
        let course = Course {
            root: root.path().to_owned(),
            target_folder: root.path().join("target"),
            lessons,
        };
        (root, course)
    }

    /// Returns the scenes that a command line plays, each by its step, or by its `resume` in parentheses; or
    /// else the error.
    fn played(line: &str) -> String {
        let (_folder, course) = course();
        let words = |line: &str| -> Vec<_> { line.split_whitespace().map(str::to_owned).collect() };
        let (line, from) = line.split_once("--from").unwrap_or((line, ""));
        let played = scenes(&course, &words(line), false).and_then(|mut scenes| {
            begin_at(&mut scenes, &course, &words(from))?;
            let name = |scene: &Scene| match (&scene.resume, &scene.step) {
                (Some(name), Some(_)) => name.clone(),
                (name, _) => format!("({})", name.as_deref().unwrap_or("farewell")),
            };
            let scenes = scenes.iter().filter(|scene| scene.kind == Kind::Text);
            Ok(scenes.map(name).collect::<Vec<_>>().join(", "))
        });
        played.unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn lessons_and_steps_are_played_in_the_given_order_and_typos_get_a_suggestion() {
        let cases = "
            => (), (pool), pool map, pool squares, (pool squares), (queue), queue map,
            queue squares map 5 => queue squares, queue map, (pool), pool map, pool squares, (
            queue pool map => (queue), queue map, queue squares, pool map
            --from queue => (queue), queue map, queue squares, (farewell)
            --from 6 squares => queue squares, (farewell)
            queue pool map --from pool => pool map
            quue => there is no lesson `quue`; did you mean `queue`?
            pool mpa => `mpa` is neither a step of lesson pool nor a lesson; did you mean `map`?
            --from quue => there is no lesson `quue`; did you mean `queue`?
            --from pool mpa => lesson pool has no step `mpa`; did you mean `map`?
            --from pool map squares => --from takes a lesson and at most one of its steps
            pool --from queue => queue is not in the lessons and steps to play
            pool map --from pool squares => pool squares is not in";
        for (line, expected) in cases.lines().filter_map(|case| case.split_once("=> ")) {
            let played = played(line);
            assert!(played.starts_with(expected), "{line}: {played}");
        }
    }
}

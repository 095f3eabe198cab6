//! What is played: lessons and steps as scenes, in their order.

use anyhow::ensure;

use course::document::{Block, Document};
use course::misuse::{Misuse, suggestion};
use course::source::text_of;
use course::{Course, Lesson, command};

/// What is shown between two pauses. A step has two scenes: its run begins the second one.
#[derive(Default)]
pub(crate) struct Scene<'a> {
    /// The lesson that it belongs to, unless it is of the course as a whole.
    pub(crate) lesson: Option<&'a Lesson>,
    pub(crate) step: Option<String>,
    pub(crate) is_run: bool,
    /// What is shown, headings included.
    pub(crate) blocks: Vec<Block>,
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
    let too_many = || Misuse("--from takes a lesson and at most one of its steps".to_owned());
    ensure!(step.len() <= 1, too_many());
    for step in step {
        lesson.step(&lesson.readme()?, step)?;
    }
    let first = scenes.iter().position(|scene| {
        scene.lesson.is_some_and(|it| it.number == lesson.number)
            && step.iter().all(|step| scene.step.as_ref() == Some(step))
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
    let lesson = |place: usize| scenes[place].lesson.map(|lesson| lesson.number);
    (place + 1..scenes.len()).find(|later| lesson(*later) != lesson(place))
}

/// Returns the scenes of a whole lesson: what comes before the first step, each step, and the
/// sections between and after them.
fn of_lesson<'a>(course: &Course, lesson: &'a Lesson) -> anyhow::Result<Vec<Scene<'a>>> {
    let script = lesson.readme()?;
    let (name, count) = (&lesson.name, course.lessons.len());
    let title = format!("# Lesson {} of {count}: {}", lesson.number, lesson.title);
    let mut scenes = vec![Scene {
        lesson: Some(lesson),
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
        let scene = |is_run, blocks| Scene {
            lesson: Some(lesson),
            step: Some(step.clone()),
            is_run,
            blocks,
            resume: Some(format!("{name} {step}")),
        };
        let mut blocks = headed(&heading, section.blocks).into_iter();
        let before = blocks.by_ref().take_while(|block| !is_recorded(block));
        scenes.push(scene(false, before.collect()));
        scenes.push(scene(true, blocks.collect()));
    }
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
    let title = script.title;
    let title = format!("# {title}\n\n{count} lessons, about {minutes} minutes.");
    for section in script.sections {
        let mut scene = Scene::default();
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
    use super::{Scene, begin_at, scenes};
    use course::{Course, Lesson};
    use std::fs;
    use tempfile::TempDir;

    /// The lessons pool and queue, with two steps each, and words for the whole course.
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
            let scenes = scenes.iter().filter(|scene| !scene.is_run);
            Ok(scenes.map(name).collect::<Vec<_>>().join(", "))
        });
        played.unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn what_is_named_is_played_in_its_order_and_what_is_not_there_is_refused_with_the_nearest() {
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
            pool --from queue => queue is not among what is to be played
            pool map --from pool squares => pool squares is not among";
        for (line, expected) in cases.lines().filter_map(|case| case.split_once("=> ")) {
            let played = played(line);
            assert!(played.starts_with(expected), "{line}: {played}");
        }
    }
}

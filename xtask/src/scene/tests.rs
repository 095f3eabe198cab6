use std::fs;

use tempfile::TempDir;

use super::{Scene, Scenes};
use crate::frame::Frame;
use crate::selection::of_words;
use course::Course;

/// A folder with the lessons pool and queue, and words for the whole course.
pub(crate) struct Shelf {
    root: TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, number, words) in [("pool", 5, "\n## More\n\n## And more\n"), ("queue", 6, "")] {
            let folder = root.path().join("lessons").join(name);
            fs::create_dir_all(&folder).unwrap();
            let manifest = format!(
                "package.name = \"{name}\"\n\
                 package.metadata.lesson = {{ number = {number}, title = \"T\", minutes = 1 }}\n"
            );
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
            let readme = format!("# T\n\n## Why\n\n## map: one\n\n## squares: two\n{words}");
            fs::write(folder.join("README.md"), readme).unwrap();
        }
        let frame = "# T\n\n## Welcome\n\nHere.\n\n## Farewell\n\nThere.\n";
        fs::write(root.path().join("lessons/README.md"), frame).unwrap();
        Self { root }
    }

    pub(crate) fn course(&self) -> Course {
        Course::find(self.root.path().to_owned()).unwrap()
    }

    /// Gives the scenes of what the words ask for, framed if they ask for everything.
    pub(crate) fn scenes<'a>(&self, course: &'a Course, words: &str) -> Scenes<'a> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let scenes = Scenes::of_lessons(of_words(course, &words).unwrap());
        if words.is_empty() {
            scenes.framed(Frame::read(self.root.path()).unwrap())
        } else {
            scenes
        }
    }
}

/// Names each scene.
pub(crate) fn places(scenes: &Scenes) -> Vec<String> {
    let names = scenes.all.iter().map(|scene| match scene {
        Scene::Welcome => "welcome".to_owned(),
        Scene::Farewell => "farewell".to_owned(),
        Scene::Opening(chapter, _) => scenes.chapters[*chapter].lesson.name.clone(),
        Scene::Words(chapter, _) => format!("words of {}", scenes.chapters[*chapter].lesson.name),
        Scene::Step(..) => {
            let (lesson, step) = scenes.step_name(scene).unwrap();
            format!("{lesson} {step}")
        }
    });
    names.collect()
}

fn refused(words: &str, lesson: &str, step: Option<&str>) -> String {
    let shelf = Shelf::new();
    let course = shelf.course();
    let scenes = shelf.scenes(&course, words);
    let refused = scenes.starting_at(&course, lesson, step).err();
    refused.unwrap().to_string()
}

const ALL: [&str; 9] = [
    "welcome",
    "pool",
    "pool map",
    "pool squares",
    "words of pool",
    "queue",
    "queue map",
    "queue squares",
    "farewell",
];

#[test]
fn the_whole_course_has_a_frame() {
    let shelf = Shelf::new();
    let course = shelf.course();
    assert_eq!(places(&shelf.scenes(&course, "")), ALL);
}

#[test]
fn words_before_the_first_step_are_its_opening_and_those_after_one_come_together() {
    let shelf = Shelf::new();
    let course = shelf.course();
    let scenes = shelf.scenes(&course, "pool").all;
    assert_eq!(scenes.first(), Some(&Scene::Opening(0, 0..1)));
    assert_eq!(scenes.last(), Some(&Scene::Words(0, 3..5)));
}

#[test]
fn steps_are_played_without_other_words() {
    let shelf = Shelf::new();
    let course = shelf.course();
    let scenes = shelf.scenes(&course, "queue squares map pool");
    assert_eq!(places(&scenes)[..3], ["queue squares", "queue map", "pool"]);
}

#[test]
fn the_playing_starts_at_a_lesson_or_at_a_step() {
    let shelf = Shelf::new();
    let course = shelf.course();
    let from = |words, lesson, step| {
        let scenes = shelf.scenes(&course, words);
        places(&scenes.starting_at(&course, lesson, step).unwrap())
    };
    assert_eq!(from("", "pool", None), ALL[1..]);
    assert_eq!(from("", "5", Some("squares")), ALL[3..]);
    assert_eq!(from("", "queue", None), ALL[5..]);
    assert_eq!(from("queue pool map", "pool", None), ["pool map"]);
}

#[test]
fn a_start_that_is_not_there_is_refused_with_the_nearest() {
    let error = refused("", "quue", None);
    assert!(
        error.contains("no lesson `quue`; did you mean `queue`?"),
        "{error}"
    );
    let error = refused("", "pool", Some("mpa"));
    assert!(
        error.contains("lesson pool has no step `mpa`; did you mean `map`?"),
        "{error}"
    );
    assert!(error.contains("map, squares"), "{error}");
}

#[test]
fn a_start_outside_of_what_is_played_is_refused() {
    let error = refused("pool", "queue", None);
    assert!(
        error.contains("queue is not among what is to be played"),
        "{error}"
    );
    let error = refused("pool map", "pool", Some("squares"));
    assert!(error.contains("pool squares is not among"), "{error}");
}

#[test]
fn each_place_has_a_name_that_leads_there() {
    let shelf = Shelf::new();
    let course = shelf.course();
    let scenes = shelf.scenes(&course, "");
    let names: Vec<_> = (0..=ALL.len()).map(|place| scenes.name_of(place)).collect();
    let expected = [
        Some(""),
        Some("pool"),
        Some("pool map"),
        Some("pool squares"),
        Some("pool squares"),
        Some("queue"),
        Some("queue map"),
        Some("queue squares"),
        None,
        None,
    ];
    assert_eq!(names, expected.map(|name| name.map(str::to_owned)));
}

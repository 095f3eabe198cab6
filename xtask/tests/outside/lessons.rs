//! Every lesson is short enough for a class, and has notes for the teacher.

use std::fs;
use std::path::Path;

use course::document::Document;

use crate::exercise::{lessons, root, text};

/// Returns the Rust files in a folder.
fn sources(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder of sources");
    let files = files.map(|file| file.expect("a file").path());
    let sources = files.filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    sources.map(|source| text(&source)).collect()
}

/// Returns the first line and the number of lines of each function, as rustfmt lays it out.
fn functions(source: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let starts = (0..lines.len()).filter(|&start| {
        ["fn ", "pub fn ", "pub(crate) fn "]
            .iter()
            .any(|kind| lines[start].trim_start().starts_with(kind))
    });
    starts
        .map(|start| {
            let indent = lines[start].len() - lines[start].trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| *line == end);
            (lines[start].trim(), length.map_or(1, |length| length + 1))
        })
        .collect()
}

#[test]
fn no_lesson_is_too_long_for_a_class() {
    for lesson in lessons() {
        let lines = text(&root().join(format!("lessons/{lesson}/README.md")))
            .lines()
            .count();
        assert!(lines <= 700, "README of {lesson}: {lines} lines");
        let mut count = 0;
        for source in sources(&root().join("lessons").join(&lesson).join("src")) {
            for (name, lines) in functions(&source) {
                assert!(lines <= 30, "{lesson}, {name}: {lines} lines");
                count += 1;
            }
        }
        assert!(count >= 5, "{lesson}: only {count} functions");
    }
}

#[test]
fn every_picture_says_that_it_is_of_a_recorded_run_and_how_to_see_yours() {
    let guide = text(&root().join("CONTRIBUTING.md"));
    let mut count = 0;
    for lesson in lessons() {
        let readme = text(&root().join(format!("lessons/{lesson}/README.md")));
        let words: Vec<&str> = readme.split_whitespace().collect();
        let readme = words.join(" ");
        let pictures = readme
            .split("![")
            .filter_map(|part| part.split_once(".svg)"));
        for (alt, after) in pictures {
            let (alt, step) = alt.rsplit_once("](").expect("the name of the picture");
            let command = format!("cargo xtask timeline {lesson} {step}");
            let caption = format!("picture is of a recorded run; `{command}` shows yours.)");
            let drawn = format!("$ {command} -o lessons/{lesson}/{step}.svg\n");
            let is_told = alt.starts_with("A recorded run: ") && after.contains(&caption);
            assert!(is_told && guide.contains(&drawn), "{lesson}, {step}: {alt}");
            count += 1;
        }
    }
    assert!(count >= 6, "only {count} pictures");
}

#[test]
fn every_step_has_notes_for_the_teacher() {
    for lesson in lessons() {
        let readme = text(&root().join(format!("lessons/{lesson}/README.md")));
        let script = Document::parse(&readme);
        for section in script.sections.iter().filter(|it| it.step.is_some()) {
            let notes = course::notes(&section.blocks);
            assert!(!notes.is_empty(), "{lesson}, {}", section.heading);
        }
        let count = script.steps().count();
        assert!(count >= 5, "{lesson}: only {count} steps");
    }
}

#[test]
fn the_page_about_python_shows_the_code_that_runs() {
    let page = text(&root().join("lessons/from-python/README.md"));
    let (_, code) = page.split_once("```rust\n").expect("a block");
    let (code, _) = code.split_once("```").expect("its end");
    assert!(
        text(&root().join("lessons/from-python/src/lib.rs")).contains(code),
        "{code}"
    );
}

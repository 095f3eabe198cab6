use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};

use super::about;
use super::crates::Crates;
use course::Lesson;
use course::document::Document;

/// What must be different in a lesson's texts when it is a project of its own.
pub(super) struct Rewriting<'a> {
    lesson: &'a Lesson,
    crates: &'a Crates,
}

impl<'a> Rewriting<'a> {
    pub(super) fn new(lesson: &'a Lesson, crates: &'a Crates) -> Self {
        Self { lesson, crates }
    }

    /// Gives a text in which the commands name neither the package, since there is only one, nor the
    /// lesson's folder, since it is the current one.
    pub(super) fn commands(&self, text: &str) -> String {
        let name = &self.lesson.name;
        let text = text.replace(&format!("lessons/{name}/"), "");
        let lines = text.split_inclusive('\n');
        lines.map(|line| without_package(line, name)).collect()
    }

    /// Gives a Markdown file with its commands, and with its links leading to where things are in the
    /// copy; what leads out of it is a link no longer.
    pub(super) fn markdown(&self, path: &Path, text: &str) -> String {
        let mut text = text.to_owned();
        let folder = path.parent().unwrap_or(Path::new(""));
        for (place, link) in outermost_links(&text).into_iter().rev() {
            let Some((label, dest)) = taken_apart(&text[place.clone()]) else {
                continue;
            };
            match self.destination(folder, &link) {
                Destination::Same => {}
                Destination::Moved(path) => {
                    let moved = text[place.clone()].replacen(dest, &path, 1);
                    text.replace_range(place, &moved);
                }
                Destination::Outside => {
                    let label = label.to_owned();
                    text.replace_range(place, &label);
                }
            }
        }
        self.commands(&text)
    }

    /// Gives the README: the script of the lesson, and about the project.
    pub(super) fn readme(&self, text: &str) -> String {
        let readme = Document::parse(text);
        let first_step = readme.steps().next().unwrap_or("--list");
        let script = self.markdown(Path::new("README.md"), text);
        let script = self.exercise(&script);
        about::put_into(&script, &self.lesson.name, first_step)
    }

    /// Gives the script with how the exercise is done by Cargo alone, in place of the rest of the
    /// paragraph that begins with how the course does it.
    fn exercise(&self, script: &str) -> String {
        let name = &self.lesson.name;
        let Some(start) = script.find(&format!("`cargo xtask exercise {name}`")) else {
            return script.to_owned();
        };
        let (before, rest) = script.split_at(start);
        let after = &rest[rest.find("\n\n").unwrap_or(rest.len())..];
        format!(
            "{}\n{}{after}",
            before.trim_end(),
            EXERCISE.replace("LESSON", name)
        )
    }

    fn destination(&self, folder: &Path, link: &str) -> Destination {
        let (target, heading) = link.split_at(link.find('#').unwrap_or(link.len()));
        if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            return Destination::Same;
        }
        let target = resolved(&self.lesson.folder.join(folder).join(target));
        if target.starts_with(&self.lesson.folder) {
            return Destination::Same;
        }
        let up = "../".repeat(folder.components().count());
        let mut crates = self.crates.iter();
        let moved = crates.find_map(|(from, name)| {
            let below = target.strip_prefix(from).ok()?;
            let path = Path::new("crates").join(name).join(below);
            let path = path.display().to_string().replace('\\', "/");
            Some(format!("{up}{path}{heading}"))
        });
        moved.map_or(Destination::Outside, Destination::Moved)
    }
}

const EXERCISE: &str = "\
`cargo run -q --example LESSON-exercise` runs the checks and tells what is still wrong. Hints stand
further down in that text, and a solution in [`exercise/solution`](exercise/solution/main.rs).";

enum Destination {
    Same,
    Moved(String),
    Outside,
}

/// Gives a line without ` -p NAME` in a call of Cargo.
fn without_package(line: &str, name: &str) -> String {
    let Some(cargo) = line.find("cargo ") else {
        return line.to_owned();
    };
    let mut line = line.to_owned();
    for option in [" -p ", " --package "] {
        let wanted = format!("{option}{name}");
        let mut from = cargo;
        while let Some(at) = line[from..].find(&wanted).map(|at| from + at) {
            let end = at + wanted.len();
            let goes_on = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
            if line[end..].starts_with(goes_on) {
                from = end;
            } else {
                line.replace_range(at..end, "");
            }
        }
    }
    line
}

/// Gives the links and pictures, where each stands and where it leads.
fn outermost_links(text: &str) -> Vec<(Range<usize>, String)> {
    let mut links: Vec<(Range<usize>, String)> = Vec::new();
    for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let Event::Start(
            Tag::Link {
                link_type,
                dest_url,
                ..
            }
            | Tag::Image {
                link_type,
                dest_url,
                ..
            },
        ) = event
        else {
            continue;
        };
        let inside_another = links.last().is_some_and(|(last, _)| place.start < last.end);
        if link_type == LinkType::Inline && !inside_another {
            links.push((place, dest_url.into_string()));
        }
    }
    links
}

/// Takes `[label](dest)` apart.
fn taken_apart(link: &str) -> Option<(&str, &str)> {
    let (label, dest) = link.strip_suffix(')')?.rsplit_once("](")?;
    let label = label.strip_prefix('!').unwrap_or(label).strip_prefix('[')?;
    Some((label, dest))
}

/// Gives a path without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::Rewriting;
    use crate::copy::crates::Crates;
    use course::Course;
    use std::fs;
    use std::path::Path;

    /// Gives what becomes of a text of lesson pool, which needs crate `extra`.
    fn rewritten(change: impl Fn(&Rewriting) -> String) -> String {
        let root = tempfile::tempdir().unwrap();
        // Where the folder for temporary files is a link, it is not the same by another name.
        let root = fs::canonicalize(root.path()).unwrap();
        for (path, text) in [
            (
                "lessons/pool/Cargo.toml",
                "[package]\nname = \"pool\"\n\n[package.metadata.lesson]\nnumber = 5\ntitle = \"T\"\n\
                 minutes = 1\n\n[dependencies]\nextra = { path = \"../../crates/extra\" }\n",
            ),
            ("crates/extra/Cargo.toml", "[package]\nname = \"extra\"\n"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let course = Course::find(root).unwrap();
        let lesson = course.lesson("pool").unwrap();
        let crates = Crates::needed_by(&lesson.folder).unwrap();
        change(&Rewriting::new(lesson, &crates))
    }

    fn commands(text: &str) -> String {
        rewritten(|rewriting| rewriting.commands(text))
    }

    fn markdown(path: &str, text: &str) -> String {
        rewritten(|rewriting| rewriting.markdown(Path::new(path), text))
    }

    #[test]
    fn commands_name_the_package_no_longer() {
        for (course, copy) in [
            ("$ cargo run -q -p pool -- map\n", "$ cargo run -q -- map\n"),
            ("`cargo test --doc -p pool`.", "`cargo test --doc`."),
            ("cargo run --package pool", "cargo run"),
            ("python3 lessons/pool/pool.py map", "python3 pool.py map"),
        ] {
            assert_eq!(commands(course), copy);
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in [
            "cargo run -p pool-exercise",
            "cargo run -p pools",
            "mkdir -p pool",
            "lessons/pools/pool.py",
        ] {
            assert_eq!(commands(text), text);
        }
    }

    #[test]
    fn links_lead_to_where_things_are_in_the_copy() {
        for (course, copy) in [
            ("[a](src/main.rs) [b](#map)", "[a](src/main.rs) [b](#map)"),
            ("[a](https://a.example/x)", "[a](https://a.example/x)"),
            (
                "[a](../../crates/extra/src/lib.rs#b)",
                "[a](crates/extra/src/lib.rs#b)",
            ),
            ("see [a `b`](../queue/README.md), c", "see a `b`, c"),
            ("![lanes](../../lanes.svg)", "lanes"),
            ("[![lanes](map.svg)](../../README.md)", "![lanes](map.svg)"),
        ] {
            assert_eq!(markdown("README.md", course), copy);
        }
        let deeper = "[a](../README.md) [b](../../../crates/extra/Cargo.toml)";
        let expected = "[a](../README.md) [b](../crates/extra/Cargo.toml)";
        assert_eq!(markdown("exercise/task.md", deeper), expected);
    }

    #[test]
    fn the_exercise_is_run_by_cargo_alone() {
        let script = "# Pool\n\n## map: it\n\n## Exercise\n\nYours: [it](exercise/main.rs). `cargo xtask \
                      exercise pool` shows\nthat too; with `--hint` a hint.\n\n## More\n\nEnd.\n";
        let readme = rewritten(|rewriting| rewriting.readme(script));
        let expected =
            "Yours: [it](exercise/main.rs).\n`cargo run -q --example pool-exercise` runs";
        assert!(readme.contains(expected), "{readme}");
        assert!(!readme.contains("--hint"), "{readme}");
        assert!(
            readme.contains("(exercise/solution/main.rs).\n\n## More\n\nEnd."),
            "{readme}"
        );
        assert!(readme.contains("| `cargo run -q -- map` |"), "{readme}");
    }
}

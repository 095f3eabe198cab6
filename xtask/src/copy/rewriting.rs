use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};

use super::about;
use super::crates::Crates;
use crate::course::Lesson;
use crate::readme::Readme;

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
        let readme = Readme::parse(text);
        let first_step = readme.steps().next().unwrap_or("--list");
        let script = self.markdown(Path::new("README.md"), text);
        about::put_into(&script, &self.lesson.name, first_step)
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

//! The texts of the checkout as mdbook wants them: in one folder, with links that fit.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::MARK;
use super::page::{Page, Place};
use course::Course;

/// Nothing is fetched and nothing is run: the book has no button that sends code to a server.
const BOOK_TOML: &str = r#"[book]
title = "Threads and processes in Rust"
language = "en"
src = "src"

[output.html]
default-theme = "light"
preferred-dark-theme = "navy"
input-404 = ""

[output.html.playground]
runnable = false

[output.html.search]
limit-results = 20
"#;

/// Endings of files that a browser shows by itself; others are shown as text.
const SHOWN: &[&str] = &["svg", "png", "jpg", "jpeg", "gif", "webp", "txt", "html"];

/// Writes the sources of the book into a folder, anew.
pub(super) fn write(course: &Course, pages: &[Page], folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    let src = folder.join("src");
    let mut files = BTreeSet::new();
    let mut summary = "# Contents\n\n".to_owned();
    let mut last = Place::Before;
    for page in pages {
        if page.place == Place::After && last != Place::After {
            summary.push_str("\n---\n\n");
        } else if page.place == Place::Lesson && last == Place::Before {
            summary.push('\n');
        }
        last = page.place;
        summary.push_str(&page.entry());
        let linker = Linker {
            root: &course.root,
            pages,
            page,
        };
        let text = linker.rewrite(&page.text, &mut files);
        put(&src.join(format!("{}.md", page.name)), &text)?;
    }
    put(&src.join("SUMMARY.md"), &summary)?;
    put(&folder.join("book.toml"), BOOK_TOML)?;
    put(
        &src.join(MARK),
        "`cargo xtask book` may replace this folder.\n",
    )?;
    for path in files {
        let copy = src.join(name_in_book(&path));
        fs::create_dir_all(copy.parent().unwrap_or(&src))?;
        fs::copy(course.root.join(&path), &copy)
            .with_context(|| format!("{} cannot be copied", path.display()))?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Gives the name that a file of the checkout has in the book.
fn name_in_book(path: &Path) -> String {
    let path_text = path.display().to_string().replace('\\', "/");
    let ending = path.extension().and_then(|ending| ending.to_str());
    let more = match ending {
        Some(ending) if SHOWN.contains(&ending) => "",
        _ => ".txt",
    };
    format!("files/{path_text}{more}")
}

/// Fits the links of a page.
struct Linker<'a> {
    root: &'a Path,
    pages: &'a [Page],
    page: &'a Page,
}

/// What becomes of a link.
#[derive(Debug, PartialEq)]
enum Target {
    /// It stays as it is.
    Same,
    /// It leads there instead.
    There(String),
    /// It leads to nothing that is in the book: its text stays.
    Nowhere,
}

impl Linker<'_> {
    /// Gives the text with links that fit, and adds the files that it needs.
    fn rewrite(&self, text: &str, files: &mut BTreeSet<PathBuf>) -> String {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        for (_, definition) in parser.reference_definitions().iter() {
            if let Target::There(there) = self.target(&definition.dest, files)
                && let Some(place) = last(text, &definition.span, &definition.dest)
            {
                edits.push((place, there));
            }
        }
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let Some(place) = last(text, &range, &dest_url) else {
                        continue; // a reference: its definition was fitted
                    };
                    match self.target(&dest_url, files) {
                        Target::Same => {}
                        Target::There(there) => edits.push((place, there)),
                        Target::Nowhere => {
                            let Some(end) = text[range.start..place.start].rfind("](") else {
                                continue;
                            };
                            edits.push((range.start..range.start + 1, String::new()));
                            edits.push((range.start + end..range.end, String::new()));
                        }
                    }
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let first = text[range.clone()].find(&*info);
                    if let Some(first) = first.filter(|_| !info.is_empty()) {
                        let start = range.start + first;
                        edits.push((start..start + info.len(), language(&info).to_owned()));
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    for attribute in [" src=\"", " href=\"", " srcset=\""] {
                        let Some((_, value)) = html.split_once(attribute) else {
                            continue;
                        };
                        let value = value.split('"').next().unwrap_or_default();
                        if let Target::There(there) = self.target(value, files)
                            && let Some(place) = last(text, &range, value)
                        {
                            edits.push((place, there));
                        }
                    }
                }
                _ => {}
            }
        }
        edits.sort_by_key(|(place, _)| place.start);
        let mut written = String::new();
        let mut done = 0;
        for (place, new) in edits {
            if place.start >= done {
                written.push_str(&text[done..place.start]);
                written.push_str(&new);
                done = place.end;
            }
        }
        written.push_str(&text[done..]);
        written
    }

    /// Says where a link of the page leads in the book.
    fn target(&self, link: &str, files: &mut BTreeSet<PathBuf>) -> Target {
        if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
            return Target::Same;
        }
        let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
        let folder = self.page.path.parent().unwrap_or(Path::new(""));
        let Some(path) = without_dots(&folder.join(path)) else {
            return Target::Nowhere;
        };
        if let Some(page) = self.pages.iter().find(|page| page.path == path) {
            let hash = if fragment.is_empty() { "" } else { "#" };
            return Target::There(format!("{}.md{hash}{fragment}", page.name));
        }
        if !self.root.join(&path).is_file() {
            return Target::Nowhere;
        }
        let name = name_in_book(&path);
        files.insert(path);
        Target::There(name)
    }
}

/// Gives the place of the last occurrence of a text within a stretch.
fn last(text: &str, stretch: &Range<usize>, wanted: &str) -> Option<Range<usize>> {
    let start = stretch.start + text[stretch.clone()].rfind(wanted)?;
    (!wanted.is_empty()).then_some(start..start + wanted.len())
}

/// Gives the language of a block of code without what only the course understands. Rust is not to be
/// taken for something that a reader can run in the book.
fn language(info: &str) -> &str {
    match info.split([' ', ',']).next() {
        Some("rust") => "rust,ignore",
        Some(language) => language,
        None => "",
    }
}

/// Resolves `..` in a path; none if it leads out of the checkout.
fn without_dots(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir if plain.pop() => {}
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::{Linker, write};
    use crate::book::page::{Page, Place};
    use course::Course;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn page(path: &str, name: &str, text: &str) -> Page {
        Page {
            path: PathBuf::from(path),
            name: name.to_owned(),
            title: name.to_owned(),
            text: text.to_owned(),
            place: Place::Lesson,
        }
    }

    /// Rewrites a text of `lessons/pool/README.md` in a checkout with a few files.
    fn rewritten(text: &str) -> (String, Vec<String>) {
        let root = tempfile::tempdir().unwrap();
        for file in ["LICENSE", "lessons/pool/a.svg", "lessons/pool/src/main.rs"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let pages = [
            page("lessons/pool/README.md", "pool", ""),
            page("lessons/queue/README.md", "queue", ""),
        ];
        let linker = Linker {
            root: root.path(),
            pages: &pages,
            page: &pages[0],
        };
        let mut files = BTreeSet::new();
        let text = linker.rewrite(text, &mut files);
        let files = files.iter().map(|file| file.display().to_string());
        (text, files.collect())
    }

    #[test]
    fn links_between_lessons_lead_from_page_to_page() {
        let (text, files) = rewritten("See [it](../queue/README.md#map), [up](#top).\n");
        assert_eq!(text, "See [it](queue.md#map), [up](#top).\n");
        assert!(files.is_empty());
    }

    #[test]
    fn files_come_into_the_book_and_sources_as_text() {
        let (text, files) =
            rewritten("[`main.rs`](src/main.rs) ![lanes](a.svg) [l](../../LICENSE)");
        assert_eq!(
            text,
            "[`main.rs`](files/lessons/pool/src/main.rs.txt) ![lanes](files/lessons/pool/a.svg) \
             [l](files/LICENSE.txt)"
        );
        let all = ["LICENSE", "lessons/pool/a.svg", "lessons/pool/src/main.rs"];
        assert_eq!(files, all);
    }

    #[test]
    fn what_is_not_in_the_book_becomes_text_and_the_world_stays() {
        let (text, _) = rewritten("[the *crate*](../../crates) and [Rust](https://rust.example/)");
        assert_eq!(text, "the *crate* and [Rust](https://rust.example/)");
    }

    #[test]
    fn references_and_html_are_fitted_too() {
        let (text, _) = rewritten("[it][q]\n\n<img src=\"a.svg\">\n\n[q]: ../queue/README.md\n");
        assert_eq!(
            text,
            "[it][q]\n\n<img src=\"files/lessons/pool/a.svg\">\n\n[q]: queue.md\n"
        );
    }

    #[test]
    fn blocks_of_code_have_a_plain_language() {
        let (text, _) = rewritten(
            "```console any-order\n$ a\n```\n\n```rust,compile_fail\nb\n```\n\n```python\nc\n```\n\n```\nd\n```\n",
        );
        assert_eq!(
            text,
            "```console\n$ a\n```\n\n```rust,ignore\nb\n```\n\n```python\nc\n```\n\n```\nd\n```\n"
        );
    }

    #[test]
    fn the_sources_have_contents_in_the_order_of_the_lessons() {
        let root = tempfile::tempdir().unwrap();
        let course = Course {
            root: root.path().to_owned(),
            lessons: Vec::new(),
        };
        let pages = [page("a.md", "a", "# A\n"), page("b.md", "b", "# B\n")];
        let folder = root.path().join("target/source");
        write(&course, &pages, &folder).unwrap();
        write(&course, &pages, &folder).unwrap();
        let read = |name: &str| fs::read_to_string(folder.join(Path::new(name))).unwrap();
        assert!(read("src/SUMMARY.md").contains("- [a](a.md)\n- [b](b.md)\n"));
        assert_eq!(read("src/b.md"), "# B\n");
        assert!(read("book.toml").contains("runnable = false"));
    }
}

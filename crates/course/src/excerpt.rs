//! The code blocks of a README: what each shows of the lesson's files, and what it should say.
//!
//! A block of Rust or Python shows whole items: functions, types, constants. An item is known by its
//! name, such as `fn map`, so that a block can be written again after the item has changed. It begins
//! with a line at column 0, and reaches to the next one that doesn't close or continue it: rustfmt and
//! Python lay items out so. Examples in the documentation have items too.
//!
//! A block `compile_fail` shows one such example as its reader sees it, without the lines that are
//! hidden with `# `. It is known by its first line.

use std::fmt;

use crate::document::Code;
use crate::misuse::suggestion;
use crate::source::{Source, Sources, visible};

/// What a block should say, and where it doesn't.
#[derive(Debug)]
pub struct Excerpt {
    pub text: String,
    pub faults: Vec<Fault>,
}

/// A part of a block that differs from the lesson's files.
#[derive(Debug)]
pub struct Fault {
    /// The line in the block, counted from 0.
    pub line: usize,
    /// The item, such as `fn map`.
    pub item: String,
    what: String,
    mend: &'static str,
}

const FIX: &str = "`cargo xtask check --fix` writes it again";

impl Fault {
    /// Returns whether the block can be written again.
    pub fn can_be_mended(&self) -> bool {
        self.mend == FIX
    }

    /// Returns what the reader can do about it.
    pub fn mend(&self) -> &'static str {
        self.mend
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.what))
    }
}

/// Returns what a block should say, if it is an excerpt: if it is written in Rust or Python.
pub fn excerpt(code: &Code, sources: &Sources) -> Option<Excerpt> {
    let files: Vec<&Source> = match code.language() {
        "rust" => sources.rust.iter().collect(),
        "python" => sources.python.iter().collect(),
        _ => return None,
    };
    let must_fail = code.has_tag("compile_fail");
    let items = if must_fail { whole } else { items };
    let passages: Vec<Passage> = files.into_iter().flat_map(passages).collect();
    let passages = passages
        .iter()
        .filter(|passage| passage.must_fail == must_fail);
    let known: Vec<(&Passage, Item)> = passages
        .flat_map(|passage| {
            items(&passage.lines)
                .into_iter()
                .map(move |item| (passage, item))
        })
        .collect();

    // Each item is written again; what is between them stays.
    let lines: Vec<&str> = code.text.lines().collect();
    let mut text = Vec::new();
    let mut faults = Vec::new();
    let mut written = 0;
    for shown in items(&lines) {
        text.extend_from_slice(&lines[written..shown.first]);
        written = shown.end;
        let piece = &lines[shown.first..shown.end];
        let same_name = known.iter().filter(|(_, item)| item.name == shown.name);
        let versions = same_name.map(|(passage, item)| {
            let first = item.shown_from(&passage.lines, &shown, &lines);
            (*passage, first, &passage.lines[first..item.end])
        });
        // Of several items with one name, the most similar one, or the first.
        let shared = |there: &[&str]| piece.iter().filter(|line| there.contains(line)).count();
        let versions = versions.rev();
        let best = versions.max_by_key(|(.., there)| (piece == *there, shared(there)));
        if let Some((passage, first, there)) = best {
            text.extend_from_slice(there);
            if piece != there {
                faults.push(differing(&shown, piece, passage, first, there));
            }
        } else {
            text.extend_from_slice(piece);
            let near = suggestion(shown.name, known.iter().map(|(_, item)| item.name));
            faults.push(missing(&shown, must_fail, &near));
        }
    }
    text.extend_from_slice(&lines[written..]);
    let text = text.iter().flat_map(|line| [*line, "\n"]).collect();
    Some(Excerpt { text, faults })
}

/// Describes the first line in which a piece of a block differs from these lines of a passage, which
/// begin at the line `first`.
fn differing(
    shown: &Item,
    piece: &[&str],
    passage: &Passage,
    first: usize,
    there: &[&str],
) -> Fault {
    let same = piece.iter().zip(there).take_while(|(a, b)| a == b).count();
    let end = passage.numbers.last().map_or(1, |last| last + 1);
    let number = passage.numbers.get(first + same).unwrap_or(&end);
    let path = passage.source.path.display();
    let mut what = format!("{} differs from {path}:{number}:", shown.name);
    for (mark, lines) in [("-", piece), ("+", there)] {
        match lines.get(same).map(|line| line.trim()) {
            Some("") => what.extend(["\n    ", mark, " (an empty line)"]),
            Some(line) => what.extend(["\n    ", mark, " ", line]),
            None => {}
        }
    }
    Fault {
        line: shown.first + same.min(piece.len().saturating_sub(1)),
        item: shown.name.to_owned(),
        what,
        mend: FIX,
    }
}

fn missing(shown: &Item, must_fail: bool, near: &str) -> Fault {
    let name = shown.name;
    let (what, mend) = if must_fail {
        (
            format!("no `compile_fail` example begins with `{name}`{near}"),
            "write it as a `compile_fail` example in src/refused.rs, where `# ` hides the lines \
             that a reader doesn't need; then run `cargo xtask check --fix`",
        )
    } else {
        (
            format!("`{name}` does not appear anywhere in the lesson{near}"),
            "name the item that the block should show, or remove the block; then \
             `cargo xtask check --fix` writes the rest",
        )
    };
    Fault {
        line: shown.first,
        item: name.to_owned(),
        what,
        mend,
    }
}

/// Lines that belong together: a file, or an example in its documentation as a reader sees it.
struct Passage<'a> {
    source: &'a Source,
    lines: Vec<&'a str>,
    /// The lines in the file, counted from 1.
    numbers: Vec<usize>,
    /// Whether it is an example that must not compile.
    must_fail: bool,
}

/// Returns a file, and each example in its documentation: the fenced blocks in `//!`, `///` and
/// `/*! */`.
fn passages(source: &Source) -> Vec<Passage<'_>> {
    let passage = |must_fail| Passage {
        source,
        lines: Vec::new(),
        numbers: Vec::new(),
        must_fail,
    };
    let mut file = passage(false);
    let mut examples: Vec<Passage> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(source.text.lines()) {
        file.lines.push(line);
        file.numbers.push(number);
        let start = line.trim_start();
        let documented = start.strip_prefix("//!").or(start.strip_prefix("///"));
        let said = documented.map_or(line, |said| said.strip_prefix(' ').unwrap_or(said));
        if let Some(info) = said.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                examples.push(passage(info.contains("compile_fail")));
            }
        } else if is_open
            && said != "#"
            && !said.starts_with("# ")
            && let Some(example) = examples.last_mut()
        {
            example.lines.push(said);
            example.numbers.push(number);
        }
    }
    examples.insert(0, file);
    examples
}

/// An item at the top of a file or block: a function, a type, a constant.
struct Item<'a> {
    /// What it is and is called, such as `fn map`.
    name: &'a str,
    /// The first line of what is directly above it: comments, attributes, decorators.
    first: usize,
    /// Its own first line.
    own: usize,
    /// The line after its last one.
    end: usize,
}

impl<'a> Item<'a> {
    /// Lines that are known by the first of them: a comment that is alone.
    fn named_by_first(lines: &[&'a str], first: usize, end: usize) -> Self {
        Self {
            name: lines.get(first).map_or("", |line| line.trim_end()),
            first,
            own: first,
            end,
        }
    }

    /// Returns the first line of this item that a block shows: it shows what is above the item, such
    /// as its comment, only if it did before, and from the same line on.
    fn shown_from(&self, lines: &[&str], shown: &Item, block: &[&str]) -> usize {
        if shown.first == shown.own {
            return self.own;
        }
        let mut above = self.first..self.own;
        let same = above.find(|line| lines[*line] == block[shown.first]);
        same.unwrap_or(self.first)
    }
}

/// Returns an example as one item.
fn whole<'a>(lines: &[&'a str]) -> Vec<Item<'a>> {
    vec![Item::named_by_first(lines, 0, lines.len())]
}

/// Finds the items of a file or block in order. A block may show half an item.
fn items<'a>(lines: &[&'a str]) -> Vec<Item<'a>> {
    let mut items: Vec<Item> = Vec::new();
    // Where the comments and the like begin that are above the next item.
    let mut above = None;
    for (own, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            items.extend(
                above
                    .take()
                    .map(|first| Item::named_by_first(lines, first, own)),
            );
        } else if above.is_some() && continues(line) {
            // The rest of an attribute.
        } else if let Some(item) = items.last_mut().filter(|_| continues(line)) {
            item.end = own + 1;
        } else if line.starts_with("//") || line.starts_with(['#', '@']) {
            above.get_or_insert(own);
        } else {
            items.push(Item {
                name: name(line),
                first: above.take().unwrap_or(own),
                own,
                end: own + 1,
            });
        }
    }
    items.extend(above.map(|first| Item::named_by_first(lines, first, lines.len())));
    items
}

/// Returns whether a line closes or continues an item that began before it.
fn continues(line: &str) -> bool {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric());
    let word = words.next().unwrap_or_default();
    line.starts_with([' ', '\t', '{', '}', ')', ']'])
        || ["where", "else", "elif", "except", "finally"].contains(&word)
}

/// Returns the name in an item's own first line: all before its parameters, type or value.
fn name(line: &str) -> &str {
    let visibility = ["pub(crate) ", "pub(super) ", "pub "];
    let mut stripped = visibility.iter().filter_map(|word| line.strip_prefix(word));
    let line = stripped.next().unwrap_or(line);
    let end = if line.starts_with("impl") {
        line.find('{')
    } else {
        line.find(['(', '<', '{', ':', '=', ';'])
    };
    line[..end.unwrap_or(line.len())].trim_end()
}

#[cfg(test)]
mod tests;

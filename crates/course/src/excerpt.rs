//! The code blocks of a README: which items of the lesson's files they show, and whether they still match.
//!
//! A block of Rust or Python shows whole items: functions, types, constants. An item is identified by its
//! name, such as `fn map`, so that the block can be updated after the item has changed. An item begins at
//! column 0 and ends before the next line at column 0 that doesn't close or continue it: rustfmt and
//! Python lay out code that way.
//!
//! A block `compile_fail` shows an example from the documentation, without the lines that are hidden by
//! `# `. It is identified by its first line.

use std::path::PathBuf;

use crate::document::{Code, Document};
use crate::misuse::suggestion;
use crate::source::Source;

/// What a block should contain, and how it differs from that.
#[derive(Debug)]
pub struct Excerpt {
    pub text: String,
    /// The file of the first item.
    pub file: Option<PathBuf>,
    pub faults: Vec<Fault>,
}

/// A part of a block that differs from the lesson's files.
#[derive(Debug)]
pub struct Fault {
    /// The line in the block, counted from 1.
    pub line: usize,
    /// The item, such as `fn map`.
    pub item: String,
    pub what: String,
    /// How to fix it.
    pub help: &'static str,
}

/// The help for a block that can be updated automatically.
pub const FIX: &str = "`cargo xtask check --fix` updates the block";

const NAME_IT: &str = "name an item that exists, or remove the block; then `cargo xtask check --fix` \
                       writes the rest";

const REFUSE_IT: &str = "write it as a `compile_fail` example in src/refused.rs, hide the lines that \
                         a reader doesn't need with `# `, and run `cargo xtask check --fix`";

/// Returns what a block should contain. Returns `None` unless it is Rust or Python.
pub fn excerpt(code: &Code, sources: &[Source]) -> Option<Excerpt> {
    let kind = match code.language() {
        "rust" => "rs",
        "python" => "py",
        _ => return None,
    };
    let must_fail = code.has_tag("compile_fail");
    let files = sources.iter();
    let files = files.filter(|file| file.path.extension().is_some_and(|it| it == kind));
    let texts = files.flat_map(|file| {
        let texts = lines(file, must_fail).into_iter();
        texts.map(move |lines| (file, lines))
    });
    let texts: Vec<(&Source, Vec<Line>)> = texts.collect();
    let items = if must_fail { whole } else { items };
    let known = texts.iter().flat_map(|(file, lines)| {
        let items = items(lines).into_iter();
        items.map(move |item| (file, item))
    });
    let known: Vec<(&&Source, Item)> = known.collect();

    // Replaces each item, and keeps what is between them.
    let lines: Vec<Line> = numbered(1, &code.text);
    let (mut text, mut file, mut faults) = (String::new(), None, Vec::new());
    let mut written = 0;
    for shown in items(&lines) {
        let line = shown.lines[0].0;
        text += &joined(&lines[written..line - 1]);
        written = line - 1 + shown.lines.len();
        let versions = known.iter().filter(|(_, item)| item.name == shown.name);
        let versions = versions.map(|(file, item)| (file, item.as_in(&shown)));
        // Of several items with this name, the most similar one, or else the first.
        let best = versions.rev().max_by_key(|(_, there)| {
            let is_there = |line: &&Line| there.iter().any(|other| other.1 == line.1);
            let is_same = joined(there) == joined(shown.lines);
            (is_same, shown.lines.iter().filter(is_there).count())
        });
        text += &joined(best.map_or(shown.lines, |(_, there)| there));
        file = file.or_else(|| best.map(|(file, _)| file.path.clone()));
        let name = shown.name;
        let (same, what, help) = match best {
            Some((_, there)) if joined(there) == joined(shown.lines) => continue,
            Some((file, there)) => {
                let (same, differing) = difference(shown.lines, there);
                let number = there.get(same).or(there.last()).map_or(1, |line| line.0);
                let place = format!("{}:{number}", file.path.display());
                (
                    same,
                    format!("{name} differs from {place}:{differing}"),
                    FIX,
                )
            }
            None => {
                let near = suggestion(name, known.iter().map(|(_, item)| item.name));
                if must_fail {
                    let what = format!("no `compile_fail` example begins with `{name}`{near}");
                    (0, what, REFUSE_IT)
                } else {
                    let what = format!("`{name}` does not appear anywhere in the lesson{near}");
                    (0, what, NAME_IT)
                }
            }
        };
        faults.push(Fault {
            line: line + same.min(shown.lines.len() - 1),
            item: name.to_owned(),
            what,
            help,
        });
    }
    text += &joined(&lines[written..]);
    Some(Excerpt { text, file, faults })
}

/// Returns how many lines at the beginning are the same, and a text that shows the first two that differ.
fn difference(shown: &[Line], there: &[Line]) -> (usize, String) {
    let pairs = shown.iter().zip(there);
    let same = pairs.take_while(|(one, other)| one.1 == other.1).count();
    let sides = [("-", shown.get(same)), ("+", there.get(same))];
    let sides = sides.map(|(mark, line)| match line.map(|(_, line)| line.trim()) {
        Some("") => format!("\n    {mark} (an empty line)"),
        Some(line) => format!("\n    {mark} {line}"),
        None => String::new(),
    });
    (same, sides.concat())
}

/// Returns the example that a `compile_fail` block shows, including its hidden lines.
pub fn example(block: &Code, sources: &[Source]) -> Option<Code> {
    let is_shown = |example: &Code| {
        let visible = example.text.lines().filter(|line| is_visible(line));
        visible.eq(block.text.lines())
    };
    let mut examples = sources.iter().flat_map(examples);
    examples.find(|example| block.has_tag("compile_fail") && is_shown(example))
}

/// Returns the `compile_fail` examples in the documentation of a file.
fn examples(file: &Source) -> Vec<Code> {
    // Lines of code do no harm here: they have no fences.
    let lines = file.text.lines().map(|line| {
        let text = line.trim_start();
        let said = text.strip_prefix("//!").or(text.strip_prefix("///"));
        said.map_or(line, |said| said.strip_prefix(' ').unwrap_or(said))
    });
    let documentation = Document::parse(&lines.collect::<Vec<_>>().join("\n"));
    let examples = documentation
        .code()
        .filter(|code| code.has_tag("compile_fail"));
    examples.cloned().collect()
}

/// Returns whether a line of an example is visible in the documentation.
fn is_visible(line: &str) -> bool {
    line != "#" && !line.starts_with("# ")
}

/// A line with its number, counted from 1.
type Line = (usize, String);

fn numbered(first: usize, text: &str) -> Vec<Line> {
    (first..).zip(text.lines().map(str::to_owned)).collect()
}

/// Returns the lines of a file, or, if `must_fail`, the visible lines of each of its `compile_fail` examples.
fn lines(file: &Source, must_fail: bool) -> Vec<Vec<Line>> {
    if !must_fail {
        return vec![numbered(1, &file.text)];
    }
    let examples = examples(file).into_iter().map(|example| {
        let mut lines = numbered(example.line + 1, &example.text);
        lines.retain(|(_, line)| is_visible(line));
        lines
    });
    examples.collect()
}

fn joined(lines: &[Line]) -> String {
    lines.iter().flat_map(|(_, line)| [line, "\n"]).collect()
}

/// A top-level item of a file or block: a function, a type, a constant.
struct Item<'a> {
    /// Its kind and name, such as `fn map`.
    name: &'a str,
    /// How many of its lines are above the item proper: comments, attributes, decorators.
    above: usize,
    lines: &'a [Line],
}

impl Item<'_> {
    /// Returns the lines of this item for a block. What is above the item, such as a comment, is included
    /// only if the block shows it now, and from the same line on.
    fn as_in(&self, shown: &Item) -> &[Line] {
        let mut above = self.lines[..self.above].iter();
        let first = match shown.above {
            0 => self.above,
            _ => above
                .position(|line| line.1 == shown.lines[0].1)
                .unwrap_or(0),
        };
        &self.lines[first..]
    }
}

/// Returns an example as one item, which is identified by its first line.
fn whole(lines: &[Line]) -> Vec<Item<'_>> {
    let first = lines.first().map(|(_, line)| line.trim_end());
    let item = first.map(|name| Item {
        name,
        above: 0,
        lines,
    });
    item.into_iter().collect()
}

/// Returns the items of a file or block in order. A block may show an incomplete item.
fn items(lines: &[Line]) -> Vec<Item<'_>> {
    // For each item: the start of what is above it, its own start, and its end.
    let mut items: Vec<[usize; 3]> = Vec::new();
    // The start of the comments and attributes above the next item.
    let mut above = None;
    for (own, (_, line)) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            items.extend(above.take().map(|first| [first, first, own]));
        } else if above.is_some() && continues(line) {
            // The rest of a multi-line attribute.
        } else if let Some([.., end]) = items.last_mut().filter(|_| continues(line)) {
            *end = own + 1;
        } else if is_above(line) {
            above.get_or_insert(own);
        } else {
            items.push([above.take().unwrap_or(own), own, own + 1]);
        }
    }
    items.extend(above.map(|first| [first, first, lines.len()]));
    let items = items.into_iter().map(|[first, own, end]| Item {
        name: name(&lines[own].1),
        above: own - first,
        lines: &lines[first..end],
    });
    items.collect()
}

/// Returns whether a line is a comment, an attribute or a decorator.
fn is_above(line: &str) -> bool {
    line.starts_with("//") || line.starts_with(['#', '@'])
}

/// Returns whether a line closes or continues the item above it.
fn continues(line: &str) -> bool {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric());
    let word = words.next().unwrap_or_default();
    line.starts_with([' ', '\t', '{', '}', ')', ']'])
        || ["where", "else", "elif", "except", "finally"].contains(&word)
}

/// Returns the name of an item: its own first line up to the parameters, type or value.
fn name(line: &str) -> &str {
    let visibility = ["pub(crate) ", "pub(super) ", "pub "];
    let mut stripped = visibility.iter().filter_map(|word| line.strip_prefix(word));
    let line = stripped.next().unwrap_or(line);
    let end = match line {
        // A comment without an item.
        _ if is_above(line) => None,
        _ if line.starts_with("impl") => line.find('{'),
        _ => line.find(['(', '<', '{', ':', '=', ';']),
    };
    line[..end.unwrap_or(line.len())].trim_end()
}

#[cfg(test)]
mod tests;

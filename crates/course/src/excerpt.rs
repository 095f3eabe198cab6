//! The code blocks of a README: what each shows of the lesson's files, and what it should say.
//!
//! A block of Rust or Python shows whole items: functions, types, constants. An item is known by its
//! name, such as `fn map`, so that a block can be written again after the item has changed. It begins
//! with a line at column 0, and reaches to the next one that doesn't close or continue it: rustfmt and
//! Python lay items out so.
//!
//! A block `compile_fail` shows an example of the documentation as its reader sees it, without the
//! lines that are hidden with `# `. It is known by its first line.

use crate::document::{Code, Document};
use crate::misuse::suggestion;
use crate::source::Source;

/// What a block should say, and where it doesn't.
#[derive(Debug)]
pub struct Excerpt {
    pub text: String,
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
    /// What the reader can do about it.
    pub mend: &'static str,
}

/// What to do about a block that can be written again.
pub const FIX: &str = "`cargo xtask check --fix` writes it again";

const NAME_IT: &str = "name the item that the block should show, or remove the block; then \
                       `cargo xtask check --fix` writes the rest";

const REFUSE_IT: &str = "write it as a `compile_fail` example in src/refused.rs, where `# ` hides \
                         the lines that a reader doesn't need; then run `cargo xtask check --fix`";

/// Returns what a block should say, if it is an excerpt: if it is written in Rust or Python.
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

    // Each item is written again; what is between them stays.
    let lines: Vec<Line> = numbered(1, &code.text);
    let (mut text, mut faults) = (String::new(), Vec::new());
    let mut written = 0;
    for shown in items(&lines) {
        let line = shown.lines[0].0;
        text += &joined(&lines[written..line - 1]);
        written = line - 1 + shown.lines.len();
        let versions = known.iter().filter(|(_, item)| item.name == shown.name);
        let versions = versions.map(|(file, item)| (file, item.as_in(&shown)));
        // Of several items with one name, the most similar one, or the first.
        let best = versions.rev().max_by_key(|(_, there)| {
            let is_there = |line: &&Line| there.iter().any(|other| other.1 == line.1);
            let is_same = joined(there) == joined(shown.lines);
            (is_same, shown.lines.iter().filter(is_there).count())
        });
        text += &joined(best.map_or(shown.lines, |(_, there)| there));
        let name = shown.name;
        let (same, what, mend) = match best {
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
            mend,
        });
    }
    text += &joined(&lines[written..]);
    Some(Excerpt { text, faults })
}

/// Returns how many lines at the beginning are the same, and shows the two that differ then.
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

/// Returns the example that a block `compile_fail` shows, with the lines that are hidden from a reader.
pub fn example(block: &Code, sources: &[Source]) -> Option<Code> {
    let is_shown = |example: &Code| {
        let visible = example.text.lines().filter(|line| is_visible(line));
        visible.eq(block.text.lines())
    };
    let mut examples = sources.iter().flat_map(examples);
    examples.find(|example| block.has_tag("compile_fail") && is_shown(example))
}

/// Returns the examples in the documentation of a file that must not compile.
fn examples(file: &Source) -> Vec<Code> {
    // What is no documentation has no fences.
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

/// Returns whether a reader of the documentation sees a line of an example.
fn is_visible(line: &str) -> bool {
    line != "#" && !line.starts_with("# ")
}

/// A line with its number, counted from 1.
type Line = (usize, String);

fn numbered(first: usize, text: &str) -> Vec<Line> {
    (first..).zip(text.lines().map(str::to_owned)).collect()
}

/// Returns the lines of a file; or, of each example that must not compile, those that a reader sees.
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

/// An item at the top of a file or block: a function, a type, a constant.
struct Item<'a> {
    /// What it is and is called, such as `fn map`.
    name: &'a str,
    /// How many of its lines are directly above it: comments, attributes, decorators.
    above: usize,
    lines: &'a [Line],
}

impl Item<'_> {
    /// Returns the lines of this item that a block shows: it shows what is above the item, such as its
    /// comment, only if it did before, and from the same line on.
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

/// Returns an example as one item, which is known by its first line.
fn whole(lines: &[Line]) -> Vec<Item<'_>> {
    let first = lines.first().map(|(_, line)| line.trim_end());
    let item = first.map(|name| Item {
        name,
        above: 0,
        lines,
    });
    item.into_iter().collect()
}

/// Finds the items of a file or block in order. A block may show half an item.
fn items(lines: &[Line]) -> Vec<Item<'_>> {
    // Where an item begins with what is above it, where itself, and where it ends.
    let mut items: Vec<[usize; 3]> = Vec::new();
    // Where the comments and the like begin that are above the next item.
    let mut above = None;
    for (own, (_, line)) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            items.extend(above.take().map(|first| [first, first, own]));
        } else if above.is_some() && continues(line) {
            // The rest of an attribute.
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
    let end = match line {
        // A comment that is alone.
        _ if is_above(line) => None,
        _ if line.starts_with("impl") => line.find('{'),
        _ => line.find(['(', '<', '{', ':', '=', ';']),
    };
    line[..end.unwrap_or(line.len())].trim_end()
}

#[cfg(test)]
mod tests;

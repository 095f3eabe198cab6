//! The blocks of code in a README: what each shows of the lesson's files, and what it should say.
//!
//! A block of Rust or Python shows whole items: functions, types, constants. An item is known by its
//! name, such as `fn map` or `impl Drop for Entry`, and not by what is in it, so that a block can be
//! written anew after the item has changed. Items that stand in examples of the documentation are
//! found as well.
//!
//! A block that must not compile shows one example of the documentation as its reader sees it,
//! without the lines that are hidden with `# `. It is known by the lines that it shares with it.

mod example;
mod item;
mod passage;

use std::fmt;
use std::ops::Range;

use support::nearest_name;

use self::item::{Item, items};
use self::passage::{Passage, passages};
use crate::document::Code;
use crate::source::Sources;

/// What a block should say, and where it does not.
#[derive(Debug)]
pub struct Excerpt {
    pub text: String,
    pub faults: Vec<Fault>,
}

/// A part of a block that is not what stands in the lesson.
#[derive(Debug)]
pub struct Fault {
    /// The line in the block, counted from 0.
    pub line: usize,
    /// The item, such as `fn map`.
    pub item: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The item has this line at this place, or ends before it.
    Differs {
        shown: Option<String>,
        there: Option<String>,
        place: String,
    },
    /// There is no such item; this one has nearly its name.
    Gone { near: Option<String> },
}

impl Fault {
    /// Tells whether the block can be written anew.
    pub fn can_be_mended(&self) -> bool {
        matches!(self.kind, Kind::Differs { .. })
    }

    /// Says how the reader mends it.
    pub fn mend(&self) -> &'static str {
        match self.kind {
            Kind::Differs { .. } => "`cargo xtask sync` writes it anew",
            Kind::Gone { .. } if self.item == EXAMPLE => {
                "write it as a `compile_fail` example in src/refused.rs, with the lines that a \
                 reader does not need hidden by `# `; then `cargo xtask sync`"
            }
            Kind::Gone { .. } => {
                "name in its place what the block is to show, or take it out; \
                 then `cargo xtask sync` writes the rest"
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = &self.item;
        match &self.kind {
            Kind::Differs {
                shown,
                there,
                place,
            } => {
                write!(f, "{item} is not what stands in {place}:")?;
                let lines = [("-", shown), ("+", there)];
                lines.iter().try_for_each(|(mark, line)| match line {
                    Some(line) => write!(f, "\n    {mark} {line}"),
                    None => Ok(()),
                })
            }
            Kind::Gone { .. } if item == EXAMPLE => {
                f.write_str("no example that must not compile is like this one")
            }
            Kind::Gone { near } => {
                write!(f, "`{item}` stands nowhere in the lesson")?;
                match near {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What a block that must not compile shows.
const EXAMPLE: &str = "the example";

/// Which language a block or file is written in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Rust,
    Python,
}

/// Gives what a block should say, if it is an excerpt: if it is written in Rust or Python.
pub fn excerpt(code: &Code, sources: &Sources) -> Option<Excerpt> {
    let (language, files) = match code.language() {
        "rust" => (Language::Rust, sources.rust.iter().collect()),
        "python" => (Language::Python, sources.python.iter().collect::<Vec<_>>()),
        _ => return None,
    };
    let passages = files
        .into_iter()
        .flat_map(|source| passages(source, language));
    let (refused, accepted): (Vec<Passage>, Vec<Passage>) =
        passages.partition(|passage| passage.is_refused);
    let lines: Vec<&str> = code.text.lines().collect();
    Some(if code.has_tag("compile_fail") {
        of_refused(&lines, &refused)
    } else {
        of_items(&lines, &accepted, language)
    })
}

/// Writes each item of a block anew; what stands between them stays.
fn of_items(lines: &[&str], passages: &[Passage], language: Language) -> Excerpt {
    let known: Vec<(&Passage, Item)> = passages
        .iter()
        .flat_map(|passage| {
            let items = items(&passage.lines, language).into_iter();
            items.map(move |item| (passage, item))
        })
        .collect();
    let mut text = Vec::new();
    let mut faults = Vec::new();
    let mut written = 0;
    for shown in items(lines, language) {
        text.extend_from_slice(&lines[written..shown.first]);
        written = shown.end;
        let piece = &lines[shown.first..shown.end];
        let same_name = known.iter().filter(|(_, item)| item.name == shown.name);
        let versions =
            same_name.map(|(passage, item)| (*passage, lines_like(&shown, lines, passage, item)));
        let best = versions.max_by_key(|(passage, range)| likeness(piece, passage, range));
        if let Some((passage, range)) = best {
            let there = &passage.lines[range.clone()];
            let kind = difference(piece, passage, range.start, there);
            faults.extend(kind.map(|(line, kind)| shown.fault(line, kind)));
            text.extend_from_slice(there);
        } else {
            let names = known.iter().map(|(_, item)| item.name.as_str());
            let near = nearest_name(&shown.name, names).map(str::to_owned);
            faults.push(shown.fault(0, Kind::Gone { near }));
            text.extend_from_slice(piece);
        }
    }
    text.extend_from_slice(&lines[written..]);
    Excerpt {
        text: joined(&text),
        faults,
    }
}

/// Finds the example that a block shows, and gives it as a whole.
fn of_refused(lines: &[&str], passages: &[Passage]) -> Excerpt {
    let whole = |passage: &Passage| 0..passage.lines.len();
    let best = passages
        .iter()
        .max_by_key(|passage| likeness(lines, passage, &whole(passage)));
    let item = EXAMPLE.to_owned();
    match best {
        Some(passage) if likeness(lines, passage, &whole(passage)).1 > 0 => {
            let kind = difference(lines, passage, 0, &passage.lines);
            let fault = kind.map(|(line, kind)| Fault { line, item, kind });
            Excerpt {
                text: joined(&passage.lines),
                faults: fault.into_iter().collect(),
            }
        }
        _ => Excerpt {
            text: joined(lines),
            faults: vec![Fault {
                line: 0,
                item,
                kind: Kind::Gone { near: None },
            }],
        },
    }
}

/// Gives those lines of an item that a block shows: with what stands above it, such as its comment,
/// only if the block shows that too, and from the line on with which the block begins.
fn lines_like(shown: &Item, block: &[&str], passage: &Passage, item: &Item) -> Range<usize> {
    if shown.first == shown.own {
        return item.own..item.end;
    }
    let above = &passage.lines[item.first..item.own];
    let from = above.iter().position(|line| *line == block[shown.first]);
    item.first + from.unwrap_or(0)..item.end
}

/// Tells how like a piece of a block is to lines of a passage: whether they are the same, and how
/// many lines of it are there. Of equals the first is taken, by its place.
fn likeness(
    piece: &[&str],
    passage: &Passage,
    range: &Range<usize>,
) -> (bool, usize, std::cmp::Reverse<usize>) {
    let there = &passage.lines[range.clone()];
    let words = piece.iter().filter(|line| !line.trim().is_empty());
    let shared = words.filter(|line| there.contains(line)).count();
    (piece == there, shared, std::cmp::Reverse(passage.number))
}

/// Gives the first line in which two pieces differ, if they do, and how.
fn difference(
    piece: &[&str],
    passage: &Passage,
    start: usize,
    there: &[&str],
) -> Option<(usize, Kind)> {
    if piece == there {
        return None;
    }
    let same = piece.iter().zip(there).take_while(|(a, b)| a == b).count();
    let text = |lines: &[&str]| {
        lines.get(same).map(|line| match line.trim() {
            "" => "(an empty line)".to_owned(),
            text => text.to_owned(),
        })
    };
    let kind = Kind::Differs {
        shown: text(piece),
        there: text(there),
        place: passage.place(start + same),
    };
    Some((same.min(piece.len().saturating_sub(1)), kind))
}

impl Item {
    fn fault(&self, line: usize, kind: Kind) -> Fault {
        Fault {
            line: self.first + line,
            item: self.name.clone(),
            kind,
        }
    }
}

fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

#[cfg(test)]
mod tests;

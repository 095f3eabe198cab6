use super::Language;
use crate::{python_source, rust_source};

/// An item at the top of a file or block: a function, a type, a constant.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    /// What it is and is called, such as `fn map`. Whatever else stands at the top is called by its
    /// first line.
    pub(super) name: String,
    /// The first line of what stands directly above it: comments, attributes, decorators.
    pub(super) first: usize,
    /// Its own first line.
    pub(super) own: usize,
    /// The line after its last one.
    pub(super) end: usize,
}

/// Finds the items of a text in order. The text may be damaged: an item begins with a line that is
/// not indented and reaches to the next one, and no brackets are counted.
pub(super) fn items(lines: &[&str], language: Language) -> Vec<Item> {
    let text = lines.join("\n");
    let inside = match language {
        Language::Rust => rust_source::begins_inside(&text),
        Language::Python => python_source::begins_inside(&text),
    };
    let mut items: Vec<Item> = Vec::new();
    // Where comments and the like began that stand above the item which comes next.
    let mut above: Option<usize> = None;
    for (place, line) in lines.iter().enumerate() {
        let is_inside = inside.get(place).copied().unwrap_or(false);
        let begins = !is_inside && !line.trim().is_empty() && !continues(line, language);
        if begins && is_above(line, language) {
            above.get_or_insert(place);
        } else if begins {
            items.push(Item {
                name: name(line, language),
                first: above.take().unwrap_or(place),
                own: place,
                end: place + 1,
            });
        } else if line.trim().is_empty() && !is_inside {
            // A comment that stands alone.
            items.extend(above.take().map(|first| alone(lines, first, place)));
        } else if above.is_none() {
            match items.last_mut() {
                Some(item) => item.end = place + 1,
                // The rest of an item whose beginning is missing.
                None => items.push(alone(lines, place, place + 1)),
            }
        }
    }
    items.extend(above.map(|first| alone(lines, first, lines.len())));
    items
}

fn alone(lines: &[&str], first: usize, end: usize) -> Item {
    Item {
        name: lines[first].trim_end().to_owned(),
        first,
        own: first,
        end,
    }
}

/// Tells whether a line belongs to an item that began before it.
fn continues(line: &str, language: Language) -> bool {
    let words: &[&str] = match language {
        Language::Rust => &["where"],
        Language::Python => &["else", "elif", "except", "finally"],
    };
    line.starts_with([' ', '\t', '{', '}', ')', ']']) || words.contains(&identifier(line))
}

/// Tells whether a line belongs to the item below it.
fn is_above(line: &str, language: Language) -> bool {
    let marks: &[&str] = match language {
        Language::Rust => &["//", "/*", "#["],
        Language::Python => &["#", "@"],
    };
    // Inner documentation belongs to what is around it.
    let is_inner = line.starts_with("//!") || line.starts_with("/*!");
    !is_inner && marks.iter().any(|mark| line.starts_with(mark))
}

fn name(line: &str, language: Language) -> String {
    let known = match language {
        Language::Rust => rust_name(line),
        Language::Python => python_name(line),
    };
    known.unwrap_or_else(|| line.trim_end().to_owned())
}

fn rust_name(line: &str) -> Option<String> {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub") {
        rest = match after.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1,
            None => after,
        };
        rest = rest.trim_start();
    }
    if rest.starts_with("impl") {
        let header = rest.split(['{', ';']).next()?;
        return Some(header.trim().to_owned());
    }
    if let Some(path) = rest.strip_prefix("use ") {
        return Some(format!("use {}", identifier(path)));
    }
    for qualifier in ["const fn", "async fn", "const async fn"] {
        if let Some(after) = rest.strip_prefix(qualifier) {
            return Some(format!("fn {}", identifier(after)));
        }
    }
    let kinds = [
        "fn",
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "mod",
        "static",
        "const",
        "macro_rules!",
    ];
    let (kind, after) = rest.split_once(' ')?;
    kinds
        .contains(&kind)
        .then(|| format!("{kind} {}", identifier(after)))
}

fn python_name(line: &str) -> Option<String> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    for kind in ["def", "class"] {
        if let Some(after) = line.strip_prefix(&format!("{kind} ")) {
            return Some(format!("{kind} {}", identifier(after)));
        }
    }
    let variable = identifier(line);
    let after = line[variable.len()..].trim_start();
    let assigned = after.starts_with(':') || after.starts_with('=') && !after.starts_with("==");
    (assigned && !variable.is_empty()).then(|| format!("{variable} ="))
}

/// Gives the word that a text begins with.
fn identifier(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::items;

    /// Writes items down as `name first-own-end`.
    fn found(text: &str, language: Language) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let items = items(&lines, language).into_iter();
        items
            .map(|item| format!("{} {}-{}-{}", item.name, item.first, item.own, item.end))
            .collect()
    }

    #[test]
    fn rust_items_are_found_with_what_stands_above_them() {
        let text = "\
//! About.

use std::thread;

// Alone.

/// Documented.
#[derive(Debug)]
pub struct Entry(u32);

impl Drop for Entry {
    fn drop(&mut self) {

    }
}
static ONE: &str = \"
fn text() {
\";
pub const TWO: u32 = 2;
pub const fn three<T>(
    number: T,
) -> T
where
    T: Copy,
{
    number
}
";
        assert_eq!(
            found(text, Language::Rust),
            [
                "//! About. 0-0-1",
                "use std 2-2-3",
                "// Alone. 4-4-5",
                "struct Entry 6-8-9",
                "impl Drop for Entry 10-10-15",
                "static ONE 15-15-18",
                "const TWO 18-18-19",
                "fn three 19-19-27",
            ]
        );
    }

    #[test]
    fn python_items_are_found() {
        let text = "\
import queue
jobs = queue.Queue()
LIMIT: int = 3


# Twice.
@cached
def double(
    number,
):
    \"\"\"Doubles.

not an item
\"\"\"

    return 2 * number


class Ticker(Thread):
    pass


if __name__ == \"__main__\":
    main()
";
        assert_eq!(
            found(text, Language::Python),
            [
                "import queue 0-0-1",
                "jobs = 1-1-2",
                "LIMIT = 2-2-3",
                "def double 5-7-16",
                "class Ticker 18-18-20",
                "if __name__ == \"__main__\": 22-22-24",
            ]
        );
    }

    #[test]
    fn half_an_item_is_found_by_its_name() {
        assert_eq!(
            found("fn a() {\n    one\nfn b() {", Language::Rust),
            ["fn a 0-0-2", "fn b 2-2-3"]
        );
        assert_eq!(
            found("\n    inside\n}\n", Language::Rust),
            ["    inside 1-1-3"]
        );
    }
}

//! Markdown as lines of text.

use pulldown_cmark::{Alignment, Event, Parser, Tag, TagEnd};
use regex_lite::Regex;
use textwrap::Options;

use crate::style::{BOLD, Style};
use crate::table;
use crate::wrap::{UNBREAKABLE, wrap};

/// Code in a sentence of up to this length stays on one line.
const SHORT_CODE: usize = 40;

/// The little HTML that a script may have, and what takes its place: a folded hint is a paragraph
/// that begins with `Hint: `, and comments vanish.
const HTML: [(&str, &str); 3] = [
    (r"(?m)^( *)<details>", "\n$1"),
    (r"<summary>([^<]*)</summary>\s*", "$1: "),
    (r"(?s)<!--.*?-->|</?details>", ""),
];

/// Renders Markdown as lines of at most `width`; code keeps its own width.
pub(crate) fn lines(markdown: &str, width: usize, style: Style) -> Vec<String> {
    let mut text = markdown.to_owned();
    for (html, replacement) in HTML {
        let html = Regex::new(html).expect("the pattern is correct");
        text = html.replace_all(&text, replacement).into_owned();
    }
    let mut renderer = Renderer {
        style,
        width,
        ..Renderer::default()
    };
    for event in Parser::new_ext(&text, pulldown_cmark::Options::ENABLE_TABLES) {
        renderer.take(event);
    }
    renderer.lines
}

/// What Markdown has become so far, and what is being gathered.
#[derive(Default)]
struct Renderer {
    style: Style,
    width: usize,
    lines: Vec<String>,
    /// Whether an empty line comes before the next one.
    gap: bool,
    /// The text of the paragraph, heading or cell that is under way.
    text: String,
    /// The number of the next item, for each list that is open; none for bullets.
    lists: Vec<Option<u64>>,
    /// The bullet or number of each item that is open: the text is indented by their widths.
    markers: Vec<String>,
    /// Whether the last marker is still to be shown.
    is_marked: bool,
    /// The address of the link that is under way, and where its text begins.
    link: (String, usize),
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
    in_code: bool,
}

impl Renderer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Text(text) if self.in_code => {
                let indent = self.indent();
                self.put(text.lines().map(|line| format!("{indent}    {line}")));
            }
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) if code.len() <= SHORT_CODE => {
                let code = code.replace(' ', UNBREAKABLE);
                self.text.push_str(&self.style.inline_code(&code));
            }
            Event::Code(code) => self.text.push_str(&self.style.inline_code(&code)),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::List(first) => {
                self.end_text();
                self.lists.push(first);
            }
            Tag::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.markers.push(marker);
                self.is_marked = true;
            }
            Tag::CodeBlock(_) => {
                self.end_text();
                self.gap = true;
                self.in_code = true;
            }
            Tag::Table(alignments) => self.alignments = alignments,
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::Strong => self.text.push_str(self.style.codes(BOLD).0),
            Tag::Link { dest_url, .. } => self.link = (dest_url.into_string(), self.text.len()),
            Tag::Image { .. } => self.text.push_str("[picture: "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) => {
                self.end_text();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.end_text();
                self.markers.pop();
                self.is_marked = false;
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.gap = true;
            }
            TagEnd::TableCell => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(std::mem::take(&mut self.text));
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Strong => self.text.push_str(self.style.codes(BOLD).1),
            TagEnd::Link => {
                let (address, start) = &self.link;
                // Links within the course lead nowhere here.
                if address.starts_with("http") && self.text[*start..] != *address {
                    self.text.extend([" (", address, ")"]);
                }
            }
            TagEnd::Image => self.text.push(']'),
            _ => {}
        }
    }

    /// Puts down the text gathered so far, wrapped.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let rest = self.indent();
        let marker = self.markers.last().filter(|_| self.is_marked);
        let marker = marker.map_or("", String::as_str);
        let first = format!("{}{marker}", &rest[marker.len()..]);
        let options = Options::new(self.width).break_words(false);
        let options = options.initial_indent(&first).subsequent_indent(&rest);
        let lines = wrap(text.trim(), options);
        self.is_marked = false;
        self.put(lines);
    }

    fn end_table(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        for cell in rows.first_mut().into_iter().flatten() {
            *cell = self.style.paint(BOLD, cell);
        }
        let indent = self.indent();
        let width = self.width.saturating_sub(indent.len());
        let lines = table::lines(&rows, &self.alignments, width).into_iter();
        self.gap = true;
        self.put(lines.map(|line| format!("{indent}{line}")));
        self.gap = true;
    }

    fn indent(&self) -> String {
        " ".repeat(self.markers.iter().map(String::len).sum())
    }

    fn put(&mut self, lines: impl IntoIterator<Item = String>) {
        if self.gap && !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.gap = false;
        self.lines.extend(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::style::Style;

    fn plain(markdown: &str) -> String {
        lines(markdown, 40, Style::Plain).join("\n")
    }

    #[test]
    fn a_paragraph_is_wrapped_and_names_and_code_are_kept_whole() {
        let text = "A thread is a path of execution, as in the step three-workers, and\nruns.";
        let expected = "A thread is a path of execution, as in\nthe step three-workers, and runs.";
        assert_eq!(plain(text), expected);
        let text = "When you have typed it, `cargo xtask lesson` plays.";
        assert_eq!(
            plain(text),
            "When you have typed it,\n`cargo xtask lesson` plays."
        );
    }

    #[test]
    fn a_list_hangs_below_its_markers_and_its_code_is_never_wrapped() {
        let text = "Two:\n\n- the first, which is long enough to be wrapped\n- the second\n\nEnd.";
        let expected =
            "Two:\n\n- the first, which is long enough to be\n  wrapped\n- the second\n\nEnd.";
        assert_eq!(plain(text), expected);
        let code = "let long = \"a line of code that is wider than the forty columns\";";
        let text = format!("1. Add\n\n   ```rust\n   {code}\n   ```\n");
        assert_eq!(plain(&text), format!("1. Add\n\n       {code}"));
    }

    #[test]
    fn a_hint_is_told_as_a_hint_and_a_comment_is_not_shown() {
        let expected = "1. Try more.\n\n   Hint: use `Vec<u8>`.\n\n2. Less.";
        let apart = "1. Try more.\n\n   <details><summary>Hint</summary>\n\n   use `Vec<u8>`.\n\n   \
                     </details>\n\n2. Less.\n";
        assert_eq!(plain(apart), expected);
        let below = "1. Try more.\n   <details><summary>Hint</summary>use `Vec<u8>`.</details>\n2. \
                     Less.\n";
        assert_eq!(plain(below), expected);
        assert_eq!(
            plain("One.\n\n<!-- notes: not\n> this -->\n\nTwo."),
            "One.\n\nTwo."
        );
    }

    #[test]
    fn a_link_to_elsewhere_shows_its_address() {
        let text = "See [it](https://a.example/) or [the lesson](../join/README.md).";
        assert_eq!(plain(text), "See it (https://a.example/) or the\nlesson.");
        assert_eq!(plain("![Two lanes](map.svg)"), "[picture: Two lanes]");
    }

    #[test]
    fn a_table_is_aligned() {
        let text = "| Python | Rust |\n|---|---:|\n| `join()` | `join()?` |\n";
        let expected = "Python         Rust\n--------  ---------\n`join()`  `join()?`";
        assert_eq!(plain(text), expected);
    }

    #[test]
    fn on_a_terminal_strong_words_are_bold_and_cost_no_width() {
        let lines = lines("One **two** three.", 14, Style::Colour);
        assert_eq!(lines, ["One \u{1b}[1mtwo\u{1b}[22m three."]);
    }
}

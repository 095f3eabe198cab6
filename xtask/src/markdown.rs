//! Markdown as lines of text.

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};
use regex_lite::Regex;
use textwrap::Options;

use crate::style::{BOLD, HEADING, Style};
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
    /// The bullet or number of each item that is open; blanks once it is shown.
    markers: Vec<String>,
    /// The address of the link that is under way, if it is to be shown.
    link: String,
    rows: Vec<Vec<String>>,
    in_code: bool,
}

impl Renderer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Text(text) if self.in_code => {
                let indent = self.indents().1;
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
            }
            Tag::CodeBlock(_) => {
                self.end_text();
                self.gap = true;
                self.in_code = true;
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::Heading { .. } => {
                // One more empty line: sections are easy to tell apart in plain text too.
                self.put([String::new()]);
                self.text.push_str(self.style.codes(HEADING).0);
            }
            Tag::Strong => self.text.push_str(self.style.codes(BOLD).0),
            Tag::Link {
                dest_url,
                link_type: LinkType::Inline | LinkType::Reference,
                ..
            } if dest_url.starts_with("http") => self.link = format!(" ({dest_url})"),
            Tag::Image { .. } => self.text.push_str("[picture: "),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.end_text();
                self.gap = true;
            }
            TagEnd::Heading(_) => {
                self.text.push_str(self.style.codes(HEADING).1);
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
            // Links within the course lead nowhere here.
            TagEnd::Link => self.text.push_str(&std::mem::take(&mut self.link)),
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
        let (first, rest) = self.indents();
        let options = Options::new(self.width).break_words(false);
        let options = options.initial_indent(&first).subsequent_indent(&rest);
        self.put(wrap(text.trim(), options));
    }

    fn end_table(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        for cell in rows.first_mut().into_iter().flatten() {
            *cell = self.style.paint(BOLD, cell);
        }
        let indent = self.indents().1;
        let width = self.width.saturating_sub(indent.len());
        let lines = table::lines(&rows, width).into_iter();
        self.gap = true;
        self.put(lines.map(|line| format!("{indent}{line}")));
        self.gap = true;
    }

    /// Returns what stands before the next line, and before those below it.
    fn indents(&mut self) -> (String, String) {
        let first = self.markers.concat();
        let blanks = |marker: &mut String| *marker = " ".repeat(marker.len());
        self.markers.iter_mut().for_each(blanks);
        (first, self.markers.concat())
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

    #[test]
    fn markdown_becomes_lines() {
        let code = "let long = \"a line of code that is wider than the forty columns\";";
        let list_with_code = format!("1. Add\n\n   ```rust\n   {code}\n   ```\n");
        let hint = "1. More.\n\n   Hint: use `Vec<u8>`.\n\n2. Less.";
        for (markdown, expected) in [
            (
                "A thread is a path of execution, as in the step three-workers, and\nruns.",
                "A thread is a path of execution, as in\nthe step three-workers, and runs.",
            ),
            (
                "When you have typed it, `cargo xtask lesson` plays.",
                "When you have typed it,\n`cargo xtask lesson` plays.",
            ),
            (
                "Two:\n\n- the first, which is long enough to be wrapped\n- the second\n\nEnd.",
                "Two:\n\n- the first, which is long enough to be\n  wrapped\n- the second\n\nEnd.",
            ),
            (&list_with_code, &format!("1. Add\n\n       {code}")),
            (
                "1. More.\n\n   <details><summary>Hint</summary>\n\n   use `Vec<u8>`.\n\n   </details>\n\n\
                 2. Less.\n",
                hint,
            ),
            (
                "1. More.\n   <details><summary>Hint</summary>use `Vec<u8>`.</details>\n2. Less.\n",
                hint,
            ),
            (
                "One.\n\n<!-- notes: not\n> this -->\n\nTwo.",
                "One.\n\nTwo.",
            ),
            ("One.\n\n## Two\n\nThree.", "One.\n\n\nTwo\n\nThree."),
            (
                "See [it](https://a.example/) or [the lesson](../join/README.md).",
                "See it (https://a.example/) or the\nlesson.",
            ),
            ("See <https://a.example/>.", "See https://a.example/."),
            ("![Two lanes](map.svg)", "[picture: Two lanes]"),
            (
                "| Python | Rust |\n|---|---|\n| `a` | b |\n",
                "Python  Rust\n------  ----\n`a`     b",
            ),
        ] {
            assert_eq!(lines(markdown, 40, Style::Plain).join("\n"), expected);
        }
    }

    #[test]
    fn on_a_terminal_strong_words_are_bold_and_cost_no_width() {
        let lines = lines("One **two** three.", 14, Style::Colour);
        assert_eq!(lines, ["One \u{1b}[1mtwo\u{1b}[22m three."]);
    }
}

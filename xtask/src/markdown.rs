//! Markdown as lines of text.

use std::mem::take;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Parser, Tag, TagEnd};
use regex_lite::Regex;
use textwrap::Options;

use crate::highlight::painted;
use crate::style::{BOLD, HEADING, MAGENTA, Style};
use crate::table;
use crate::wrap::{UNBREAKABLE, wrap};

/// Inline code up to this length isn't wrapped; in a table, code isn't wrapped if it fits on a line.
const SHORT_CODE: usize = 40;

/// The HTML that a script may have, and its replacement: a folded hint becomes a paragraph that begins with
/// `Hint: `, and comments are removed.
const HTML: [(&str, &str); 3] = [
    (r"(?m)^( *)<details>", "\n$1"),
    (r"<summary>([^<]*)</summary>\s*", "$1: "),
    (r"(?s)<!--.*?-->|</?details>", ""),
];

/// Renders Markdown as lines of at most `width` columns; code isn't wrapped.
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

/// The lines rendered so far, and the state of the element in progress.
#[derive(Default)]
struct Renderer {
    style: Style,
    width: usize,
    lines: Vec<String>,
    /// Whether an empty line comes before the next one.
    gap: bool,
    /// The text of the current paragraph, heading or cell.
    text: String,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// The bullet or number of each open item; blanks once it has been shown.
    markers: Vec<String>,
    /// The address of the current link, if it should be shown.
    link: String,
    rows: Vec<Vec<String>>,
    /// The language of the current block of code.
    language: String,
}

impl Renderer {
    fn take(&mut self, event: Event) {
        match event {
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => {
                let (on, off) = [("`", "`"), MAGENTA][usize::from(self.style == Style::Colour)];
                let longest = match self.rows[..] {
                    [] => SHORT_CODE,
                    _ => self.available().saturating_sub(table::INDENT.len() + 2),
                };
                let is_short = code.len() <= longest;
                let code = code.replace(' ', if is_short { UNBREAKABLE } else { " " });
                self.text.extend([on, &code, off]);
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Start(Tag::Strong) => self.text.push_str(self.style.codes(BOLD).0),
            Event::End(TagEnd::Strong) => self.text.push_str(self.style.codes(BOLD).1),
            Event::Start(Tag::Image { .. }) => self.text.push_str("[picture: "),
            Event::End(TagEnd::Image) => self.text.push(']'),
            Event::Start(Tag::Link {
                link_type: LinkType::Inline | LinkType::Reference,
                dest_url,
                ..
            }) if dest_url.starts_with("http") => self.link = format!(" ({dest_url})"),
            // Links within the course can't be followed here.
            Event::End(TagEnd::Link) => self.text.push_str(&take(&mut self.link)),
            Event::End(TagEnd::Paragraph) => {
                self.end_text();
                self.gap = true;
            }
            Event::End(TagEnd::Heading(_)) => {
                // One more empty line, so that sections stand out in plain text too.
                self.put([String::new()]);
                self.text = self.style.paint(HEADING, &self.text);
                self.end_text();
                self.gap = true;
            }
            Event::Start(Tag::List(first)) => {
                self.end_text();
                self.lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            Event::Start(Tag::Item) => {
                let number = self.lists.last_mut().and_then(Option::as_mut);
                self.markers.push(number.map_or("- ".to_owned(), |number| {
                    *number += 1;
                    format!("{}. ", *number - 1)
                }));
            }
            Event::End(TagEnd::Item) => {
                self.end_text();
                self.markers.pop();
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                self.end_text();
                self.language.clear();
                if let CodeBlockKind::Fenced(info) = kind {
                    self.language.extend(info.split(',').next());
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                let code = painted(&self.language, &take(&mut self.text), self.style);
                self.put_apart(code.lines().map(|line| format!("    {line}")));
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => self.rows.push(Vec::new()),
            Event::End(TagEnd::TableCell) => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(take(&mut self.text));
                }
            }
            Event::End(TagEnd::Table) => {
                let mut rows = take(&mut self.rows);
                let cells = rows.first_mut().into_iter().flatten();
                cells.for_each(|cell| *cell = self.style.paint(BOLD, cell));
                self.put_apart(table::lines(&rows, self.available()).into_iter());
            }
            _ => {}
        }
    }

    /// Returns the width beside the bullets and numbers.
    fn available(&self) -> usize {
        let indent: usize = self.markers.iter().map(String::len).sum();
        self.width.saturating_sub(indent)
    }

    /// Adds the current text, wrapped.
    fn end_text(&mut self) {
        let text = take(&mut self.text);
        if !text.trim().is_empty() {
            let (first, rest) = self.indents();
            let options = Options::new(self.width).break_words(false);
            let options = options.initial_indent(&first).subsequent_indent(&rest);
            self.put(wrap(text.trim(), options));
        }
    }

    /// Adds lines, indented, with an empty line before and after them.
    fn put_apart(&mut self, lines: impl Iterator<Item = String>) {
        let (_, indent) = self.indents();
        self.gap = true;
        self.put(lines.map(|line| indent.clone() + &line));
        self.gap = true;
    }

    /// Returns the indentation of the next line, and of those below it.
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
    fn a_script_is_rendered_as_lines() {
        let shown = lines(include_str!("markdown/sample.txt"), 40, Style::Plain);
        let expected: Vec<&str> = include_str!("markdown/shown.txt").lines().collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn on_a_terminal_text_is_bold_and_code_is_coloured_without_adding_width() {
        let text = "One **two `it` three**.\n\n- Four\n\n  ```rust,no_run\n  let\n  ```";
        let expected = [
            "One \u{1b}[1mtwo",
            "\u{1b}[35mit\u{1b}[39m three\u{1b}[22m.",
            "",
            "- Four",
            "",
            "      \u{1b}[1;35mlet\u{1b}[22;39m",
        ];
        assert_eq!(lines(text, 9, Style::Colour), expected);
    }

    #[test]
    fn a_table_never_breaks_code_that_fits_on_a_line() {
        let code = [
            "`f(1, 2)`",
            "`Pool::new(3)?.map(f, &[2, 3, 5])`",
            "`-> Result<(), E>`",
        ];
        let [short, long, arrow] = code;
        let table = format!(
            "| | Rust {short} | what is different |\n|---|---|---|\n\
            | {long}, some text | {arrow} or {short}; text | words, {arrow} and words |\n| {arrow} | | |"
        );
        for width in 44..=120 {
            let shown = lines(&table, width, Style::Plain);
            assert!(shown.iter().all(|line| line.len() <= width), "{shown:#?}");
            for code in code {
                let count = shown.iter().map(|line| line.matches(code).count());
                assert_eq!(
                    count.sum::<usize>(),
                    table.matches(code).count(),
                    "{shown:#?}"
                );
            }
        }
        let narrow = lines(&table, 30, Style::Plain);
        assert_eq!(
            narrow[..2],
            ["`Pool::new(3)?.map(f, &[2, 3,", "    5])`, some text"]
        );
    }
}

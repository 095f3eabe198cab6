//! Where the course is shown.

use std::env;
use std::io::{self, IsTerminal, Stdout, Write};

use textwrap::Options;
use textwrap::core::display_width;

use crate::highlight::painted;
use crate::markdown;
use crate::style::{ALARM, BOLD, HEADING, INDENT, INVERTED, MAGENTA, Style};
use crate::wrap::wrap;
use course::document::{Block, Code};
use course::source::visible;

const PLAIN_WIDTH: usize = 80;
const WIDEST: usize = 100;

/// The size of what is no terminal: everything is on one page.
const ENDLESS: (usize, usize) = (usize::MAX, usize::MAX);

/// Empties the row of the cursor.
const CLEAR: &str = "\r\u{1b}[2K";

/// Where the course is shown. What shows a block ends it with an empty line.
pub(crate) struct Screen {
    out: Stdout,
    style: Style,
    /// How long a line of prose may become.
    width: usize,
    /// How many columns and rows a terminal has: a line that is longer takes several rows.
    size: (usize, usize),
    /// The number of rows that have been filled since the last question.
    filled: usize,
    status_shown: bool,
}

impl Screen {
    /// Shows on standard output: plain when that is asked for, when it is no terminal, or when
    /// `NO_COLOR` is set.
    pub(crate) fn stdout(plain: bool) -> Self {
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let is_plain = plain || no_colour || dumb || !io::stdout().is_terminal();
        let style = if is_plain {
            Style::Plain
        } else {
            Style::Colour
        };
        let mut screen = Self::new(style, PLAIN_WIDTH);
        screen.measure();
        screen
    }

    fn new(style: Style, width: usize) -> Self {
        Self {
            out: io::stdout(),
            style,
            width,
            size: ENDLESS,
            filled: 0,
            status_shown: false,
        }
    }

    /// Notes how large the terminal is now, and returns whether that has changed: somebody may make
    /// the letters larger during a lesson.
    pub(crate) fn measure(&mut self) -> bool {
        let size = terminal_size::terminal_size_of(&self.out);
        let size = size.map_or(ENDLESS, |(columns, rows)| {
            (columns.0.max(1).into(), rows.0.into())
        });
        if !self.is_plain() {
            self.width = WIDEST.min(size.0);
        }
        std::mem::replace(&mut self.size, size) != size
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether only plain text is shown.
    pub(crate) fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    /// Shows one line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.filled += self.rows(line);
        writeln!(self.out, "{line}")
    }

    pub(crate) fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Shows an empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }

    /// Shows a heading.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.style.paint(HEADING, &visible(text)))?;
        self.blank()
    }

    /// Shows text and code as they stand in a README.
    pub(crate) fn blocks(&mut self, blocks: &[Block]) -> io::Result<()> {
        let mut blocks = blocks.iter();
        blocks.try_for_each(|block| self.lines(&self.block_lines(block)))
    }

    fn block_lines(&self, block: &Block) -> Vec<String> {
        match block {
            Block::Prose(text) => {
                let text = text.replace("\r\n", "\n");
                let mut lines = markdown::lines(&visible(&text), self.width, self.style);
                lines.extend((!lines.is_empty()).then(String::new));
                lines
            }
            Block::Code(code) => self.code_lines(label(code), code.language(), &code.text),
        }
    }

    /// Shows Markdown.
    pub(crate) fn prose(&mut self, text: &str) -> io::Result<()> {
        self.blocks(&[Block::Prose(text.to_owned())])
    }

    /// Shows code as it is, under a label unless that is empty.
    pub(crate) fn code(&mut self, label: &str, language: &str, code: &str) -> io::Result<()> {
        self.lines(&self.code_lines(label, language, code))
    }

    fn code_lines(&self, label: &str, language: &str, code: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if !label.is_empty() {
            lines.push(self.style.paint(MAGENTA, &format!("{label}:")));
        }
        let code = painted(language, &visible(&code.replace("\r\n", "\n")), self.style);
        lines.extend(code.lines().flat_map(|line| self.behind(INDENT, line)));
        lines.push(String::new());
        lines
    }

    /// Shows a line of a running program at once.
    pub(crate) fn output(&mut self, line: &str) -> io::Result<()> {
        let gutter = self.style.gutter("\u{2502}");
        self.lines(&self.behind(&gutter, &visible(line.trim_end())))?;
        self.out.flush()
    }

    /// Returns a line behind its gutter. On a terminal one that is too long goes on below itself.
    fn behind(&self, gutter: &str, line: &str) -> Vec<String> {
        if self.is_plain() {
            return vec![format!("{gutter}{line}").trim_end().to_owned()];
        }
        let indent = line.len() - line.trim_start().len() + INDENT.len();
        let most = self.width.saturating_sub(INDENT.len()) / 2;
        let more = self.style.gutter("\u{21b3}") + &" ".repeat(indent.min(most));
        let options = Options::new(self.width).initial_indent(gutter);
        wrap(line, options.subsequent_indent(&more))
    }

    /// Shows a command whose output follows, line by line.
    pub(crate) fn command(&mut self, label: &str, command: &str) -> io::Result<()> {
        self.line(&self.style.paint(MAGENTA, label))?;
        let command = self.style.paint(BOLD, command);
        self.line(&format!("{INDENT}{command}"))
    }

    /// Shows text that is wrapped, but not otherwise changed.
    pub(crate) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        self.lines(&wrap(text, Options::new(self.width).break_words(false)))?;
        self.blank()
    }

    /// Shows that something went wrong.
    pub(crate) fn failure(&mut self, text: &str) -> io::Result<()> {
        self.paragraph(&self.style.paint(ALARM, text))
    }

    /// Shows a question that is answered by a key, until [`Screen::end_ask`].
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<()> {
        if self.is_plain() {
            self.line(&format!("[{question}]"))?;
        } else {
            let question = self.style.paint(INVERTED, &self.shortened(question));
            write!(self.out, "{CLEAR}{question} ")?;
        }
        self.out.flush()
    }

    /// Takes the question away again, where it can be.
    pub(crate) fn end_ask(&mut self) -> io::Result<()> {
        self.filled = 0;
        let end = if self.is_plain() { "\n" } else { CLEAR };
        self.out.write_all(end.as_bytes())
    }

    /// Shows what is going on, until [`Screen::end_status`]. On a terminal it comes with its detail,
    /// and each status replaces the one before; elsewhere it is told once, without.
    pub(crate) fn status(&mut self, text: &str, detail: &str) -> io::Result<()> {
        if !self.is_plain() {
            let status = self.shortened(&format!("{text} ... {detail}"));
            write!(self.out, "{CLEAR}{status}")?;
        } else if !self.status_shown {
            self.paragraph(&format!("{text} ..."))?;
        }
        self.status_shown = true;
        self.out.flush()
    }

    /// Takes the status away again, where it can be.
    pub(crate) fn end_status(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.status_shown) && !self.is_plain() {
            write!(self.out, "{CLEAR}")?;
        }
        Ok(())
    }

    /// Returns as much of a text as fits on a line, the cursor behind it.
    fn shortened(&self, text: &str) -> String {
        text.chars().take(self.width.saturating_sub(4)).collect()
    }

    /// Returns text and code as pages, each of which fits on the terminal with a question below it,
    /// the first one below what is shown already. Without a terminal there is one page.
    ///
    /// A block that fits on a page is not divided, or else its paragraphs are not if they fit. An
    /// empty line at the end of a page needs no row.
    pub(crate) fn pages(&self, blocks: &[Block]) -> Vec<Vec<String>> {
        let (columns, rows) = self.size;
        // A plain question may be as long as a plain line. Below it is an empty row.
        let page = rows
            .saturating_sub(PLAIN_WIDTH.div_ceil(columns) + 1)
            .max(1);
        let mut room = page.saturating_sub(self.filled);
        let mut pages = vec![Vec::new()];
        for block in blocks {
            let lines = self.block_lines(block);
            let is_whole = self.needed(&lines) <= page;
            for part in lines.split_inclusive(|line| !is_whole && line.is_empty()) {
                let needed = self.needed(part);
                // What is longer than a page is begun on this one if half of it is left.
                let mut is_over = needed > room && (needed <= page || room < page / 2);
                for line in part {
                    if room == 0 && line.is_empty() {
                        continue;
                    }
                    if room < page && (is_over || self.rows(line) > room) {
                        pages.push(Vec::new());
                        room = page;
                    }
                    is_over = false;
                    room = room.saturating_sub(self.rows(line));
                    pages.last_mut().expect("there is one").push(line.clone());
                }
            }
        }
        pages
    }

    /// Returns how many rows these lines need, without empty ones at their end.
    fn needed(&self, lines: &[String]) -> usize {
        let end = lines.iter().rposition(|line| !line.is_empty());
        let lines = &lines[..end.map_or(0, |last| last + 1)];
        lines.iter().map(|line| self.rows(line)).sum()
    }

    /// Returns how many rows a line takes.
    fn rows(&self, line: &str) -> usize {
        display_width(line).div_ceil(self.size.0).max(1)
    }
}

fn label(code: &Code) -> &str {
    match code.language() {
        "python" => "Python",
        "rust" if code.has_tag("compile_fail") => "Rust that does not compile",
        "rust" => "Rust",
        "console" => "Recorded in a terminal",
        "toml" => "TOML",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::{Screen, Style};
    use course::document::Document;

    use std::fmt::Write;

    /// A screen of that size, which shows nothing.
    fn terminal(style: Style, columns: usize, rows: usize) -> Screen {
        let mut screen = Screen::new(style, columns);
        screen.size = (columns, rows);
        screen
    }

    /// Returns the pages of 10 rows, `room` of which are left of the first one, with a letter for
    /// each line. In the text `.` is an empty line, `W` a line of two rows, and any other letter one
    /// of one row; `|` ends a block.
    fn pages(text: &str, room: usize) -> String {
        let mut screen = terminal(Style::Plain, 80, 12);
        screen.filled = 10 - room;
        let mut markdown = String::new();
        for block in text.split('|') {
            let lines = block.chars().map(|letter| match letter {
                '.' => String::new(),
                'W' => "W".repeat(80),
                _ => letter.to_string(),
            });
            let lines = lines.collect::<Vec<_>>().join("\n");
            write!(markdown, "```text\n{lines}\n```\n\n").unwrap();
        }
        let pages = screen.pages(&Document::parse(&markdown).opening);
        let letter = |line: &String| line.trim().chars().next().unwrap_or('.');
        let pages = pages
            .iter()
            .map(|page| page.iter().map(letter).collect::<String>());
        pages.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_fits_on_a_page_is_not_divided() {
        assert_eq!(pages("abc", 3), "abc", "the empty line needs no row");
        assert_eq!(pages("abc", 2), " abc.");
        assert_eq!(pages("ab|cd", 10), "ab.cd.");
        assert_eq!(pages("abcd|efg.hij", 10), "abcd. efg.hij.");
        assert_eq!(pages("abcdWWW|e", 10), "abcdWWW e.");
        assert_eq!(pages("abcdWWW", 9), " abcdWWW");
    }

    #[test]
    fn what_is_longer_than_a_page_is_divided_at_empty_lines_if_it_has_some() {
        assert_eq!(pages("abcdef.ghijkl", 10), "abcdef. ghijkl.");
        assert_eq!(pages("a.bcdefghijklmn", 10), "a.bcdefghi jklmn.");
        assert_eq!(pages("abcdefghijklm", 6), "abcdef ghijklm.");
        assert_eq!(
            pages("abcdefghijklm", 4),
            " abcdefghij klm.",
            "too few are left"
        );
        let mut tiny = terminal(Style::Plain, 80, 1);
        tiny.filled = 1;
        let long = Document::parse(&format!("```text\n{}\nb\n```", "a".repeat(200)));
        let pages = tiny.pages(&long.opening);
        let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [0, 1, 1], "each page shows something");
    }

    #[test]
    fn on_a_terminal_a_long_line_of_code_goes_on_below_itself() {
        let text = "```rust\n    let long = \"a text of words\";\n```\n";
        let block = &Document::parse(text).opening[0];
        let mut shown = terminal(Style::Colour, 30, 24)
            .block_lines(block)
            .join("\n");
        for code in ["\u{1b}[35m", "\u{1b}[39m", "\u{1b}[1m", "\u{1b}[22m"] {
            shown = shown.replace(code, "");
        }
        let expected = "Rust:\n        let long = \"a text of\n  \u{21b3}         words\";\n";
        assert_eq!(shown, expected);
        let shown = terminal(Style::Plain, 30, 24).block_lines(block);
        assert_eq!(shown[1], "        let long = \"a text of words\";");
    }

    #[test]
    fn the_terminal_does_not_obey_a_file() {
        let document = Document::parse("A\u{1b}[2Jb.\r\n\r\n```text\r\na\u{7}\tb\r\n```\r\n");
        let pages = terminal(Style::Plain, 80, 24).pages(&document.opening);
        assert_eq!(pages, [["A\\u{1b}[2Jb.", "", "    a\\u{7}\tb", ""]]);
    }
}

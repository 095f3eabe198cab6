//! Where the course is shown.

use std::env;
use std::io::{self, IsTerminal, Write};

use textwrap::Options;
use textwrap::core::display_width;

use crate::highlight::painted;
use crate::markdown;
use crate::style::{ALARM, BOLD, INDENT, INVERTED, MAGENTA, Style, UNDERLINED};
use crate::wrap::wrap;
use course::document::{Block, Code};
use course::source::visible;

const PLAIN_WIDTH: usize = 80;
const WIDEST: usize = 100;

/// Empties the row of the cursor.
const CLEAR: &str = "\r\u{1b}[2K";

/// Where the course is shown. What shows a block ends it with an empty line.
pub(crate) struct Screen<'a> {
    out: Box<dyn Write + 'a>,
    style: Style,
    /// How long a line of prose may become.
    width: usize,
    /// How many columns a row has: a line that is longer takes several.
    columns: usize,
    /// The number of rows that are seen at once, on a terminal.
    height: Option<usize>,
    /// The number of rows that have been filled since the last question.
    filled: usize,
    status_shown: bool,
}

impl<'a> Screen<'a> {
    /// Shows on standard output: plain when that is asked for, when it is no terminal, or when
    /// `NO_COLOR` is set.
    pub(crate) fn stdout(plain: bool) -> Screen<'static> {
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let style = if plain || no_colour || dumb || !io::stdout().is_terminal() {
            Style::Plain
        } else {
            Style::Colour
        };
        let mut screen = Screen::new(io::stdout().lock(), style, PLAIN_WIDTH);
        screen.measure();
        screen
    }

    /// Shows on anything that can be written to.
    pub(crate) fn new(out: impl Write + 'a, style: Style, width: usize) -> Self {
        Self {
            out: Box::new(out),
            style,
            width,
            columns: width,
            height: None,
            filled: 0,
            status_shown: false,
        }
    }

    /// Notes how large the terminal is now: somebody may make the letters larger during a lesson.
    pub(crate) fn measure(&mut self) {
        if let Some((width, height)) = terminal_size::terminal_size_of(io::stdout()) {
            self.height = Some(usize::from(height.0));
            self.columns = usize::from(width.0);
            if !self.is_plain() {
                self.width = self.columns.min(WIDEST);
            }
        }
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

    /// Shows a title, and where in the course it stands.
    pub(crate) fn title(&mut self, place: &str, title: &str) -> io::Result<()> {
        self.lines(&self.title_lines(place, title))
    }

    pub(crate) fn title_lines(&self, place: &str, title: &str) -> [String; 3] {
        let (place, title) = (visible(place), visible(title));
        let title = self
            .style
            .paint(UNDERLINED, &self.style.paint(BOLD, &title));
        [self.style.paint(MAGENTA, &place), title, String::new()]
    }

    /// Shows the heading of a section.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.lines(&self.heading_lines(text))
    }

    pub(crate) fn heading_lines(&self, text: &str) -> [String; 2] {
        [self.style.paint(BOLD, &visible(text)), String::new()]
    }

    /// Shows text and code as they stand in a README.
    pub(crate) fn blocks(&mut self, blocks: &[Block]) -> io::Result<()> {
        let mut blocks = blocks.iter();
        blocks.try_for_each(|block| self.lines(&self.block_lines(block)))
    }

    pub(crate) fn block_lines(&self, block: &Block) -> Vec<String> {
        match block {
            Block::Prose(text) => self.prose_lines(text),
            Block::Code(code) => self.code_lines(label(code), code.language(), &code.text),
        }
    }

    /// Shows Markdown.
    pub(crate) fn prose(&mut self, text: &str) -> io::Result<()> {
        self.lines(&self.prose_lines(text))
    }

    fn prose_lines(&self, text: &str) -> Vec<String> {
        let mut lines = markdown::lines(
            &visible(&text.replace("\r\n", "\n")),
            self.width,
            self.style,
        );
        lines.extend((!lines.is_empty()).then(String::new));
        lines
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
        let command = self.style.paint(BOLD, &format!("$ {command}"));
        self.line(&format!("{INDENT}{command}"))
    }

    /// Shows text of several lines' length.
    pub(crate) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        self.lines(&wrap(text, Options::new(self.width).break_words(false)))?;
        self.blank()
    }

    /// Shows a short remark.
    pub(crate) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.line(text)?;
        self.blank()
    }

    /// Shows that something went wrong.
    pub(crate) fn failure(&mut self, text: &str) -> io::Result<()> {
        self.remark(&self.style.paint(ALARM, text))
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
            self.remark(&format!("{text} ..."))?;
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

    /// Returns how many of these lines fit on the rest of the page, a question of that length below
    /// them; all where there are no pages.
    ///
    /// Lines that fit on a page are not divided. More of them are divided at an empty line if there
    /// is one far enough down. An empty line at the end needs no row.
    pub(crate) fn fitting(&self, lines: &[String], question: &str) -> usize {
        let Some(height) = self.height else {
            return lines.len();
        };
        // A plain question has brackets; on a terminal it is shortened. Below it is an empty row.
        let question = self.is_plain().then(|| self.rows(&format!("[{question}]")));
        let page = height.saturating_sub(question.unwrap_or(1) + 1).max(1);
        let room = page.saturating_sub(self.filled);
        let end = lines.iter().rposition(|line| !line.is_empty());
        let needed = end.map_or(0, |last| self.rows_of(&lines[..=last]));
        if needed <= room {
            return lines.len();
        }
        if room < page && (needed <= page || room < page.div_ceil(2)) {
            return 0;
        }
        let count = |room| {
            (1..=lines.len())
                .take_while(|end| self.rows_of(&lines[..*end]) <= room)
                .count()
        };
        let (low, most) = (count(room / 2), count(room));
        let gap = lines[low..most].iter().rposition(String::is_empty);
        let count = gap.map_or(most, |gap| low + gap + 1);
        // A line that is longer than a page has to be shown all the same.
        if room < page { count } else { count.max(1) }
    }

    fn rows_of(&self, lines: &[String]) -> usize {
        lines.iter().map(|line| self.rows(line)).sum()
    }

    /// Returns how many rows of the terminal a line takes.
    fn rows(&self, line: &str) -> usize {
        display_width(line).div_ceil(self.columns.max(1)).max(1)
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
    use super::{BOLD, Screen, Style};
    use course::document::Document;

    const QUESTION: &str = "Enter: more   q: quit";

    /// A terminal of that size that shows nothing to anybody.
    fn terminal(style: Style, columns: usize, height: usize) -> Screen<'static> {
        let mut screen = Screen::new(std::io::sink(), style, columns);
        screen.height = Some(height);
        screen
    }

    /// Returns how many lines of a text fit into `room` rows of a page of 10; in the text `.` is an
    /// empty line, `W` one of two rows, and any other letter one of one row.
    fn fitting(text: &str, room: usize) -> usize {
        // The question and the row below it take two.
        let mut screen = terminal(Style::Plain, 30, 12);
        screen.filled = 10 - room;
        let lines = text.chars().map(|letter| match letter {
            '.' => String::new(),
            'W' => "w".repeat(31),
            _ => letter.to_string(),
        });
        screen.fitting(&lines.collect::<Vec<_>>(), QUESTION)
    }

    #[test]
    fn what_fits_on_a_page_is_not_divided() {
        assert_eq!(
            fitting("abc.", 3),
            4,
            "an empty line at the end needs no row"
        );
        assert_eq!(fitting("abc.", 2), 0);
        assert_eq!(fitting("abcdWWW", 10), 7);
        assert_eq!(fitting("abcdWWW", 9), 0);
        assert_eq!(fitting("", 0), 0);
    }

    #[test]
    fn what_is_longer_than_a_page_is_divided_at_an_empty_line() {
        assert_eq!(fitting("abcdef.ghijkl", 10), 7);
        assert_eq!(fitting("a.cdefghijklm", 10), 10, "too near the top");
        assert_eq!(fitting("abcdefghijklm", 6), 6);
        assert_eq!(fitting("abcdefghijklm", 4), 0, "too few rows are left");
        assert_eq!(fitting("WWW.WWWW", 10), 4);
        let tiny = terminal(Style::Plain, 80, 1);
        let shown = tiny.fitting(&["x".repeat(200), String::new()], QUESTION);
        assert_eq!(shown, 1, "each page shows something");
    }

    #[test]
    fn colours_take_no_room_and_a_long_question_in_plain_text_does() {
        let long = "long ".repeat(30);
        let colour = terminal(Style::Colour, 80, 24);
        let plain = terminal(Style::Plain, 80, 24);
        let lines = vec![Style::Colour.paint(BOLD, &"x".repeat(80)); 22];
        assert_eq!(colour.fitting(&lines, &long), 22);
        assert_eq!(plain.fitting(&lines, QUESTION), 22);
        assert_eq!(plain.fitting(&lines, &long), 21);
    }

    #[test]
    fn on_a_terminal_a_long_line_of_code_goes_on_below_itself() {
        let text = "```rust\n    let long = \"a text of words\";\n```\n";
        let block = &Document::parse(text).opening[0];
        let shown = terminal(Style::Colour, 30, 24)
            .block_lines(block)
            .join("\n");
        let shown = shown.replace("\u{1b}[35m", "").replace("\u{1b}[39m", "");
        let shown = shown.replace("\u{1b}[1m", "").replace("\u{1b}[22m", "");
        let expected = "Rust:\n        let long = \"a text of\n  \u{21b3}         words\";\n";
        assert_eq!(shown, expected);
        let shown = terminal(Style::Plain, 30, 24).block_lines(block);
        assert_eq!(shown[1], "        let long = \"a text of words\";");
    }

    #[test]
    fn the_terminal_does_not_obey_a_file() {
        let document = Document::parse("A\u{1b}[2Jb.\r\n\r\n```text\r\na\u{7}\tb\r\n```\r\n");
        let screen = terminal(Style::Plain, 80, 24);
        let lines = document
            .opening
            .iter()
            .flat_map(|block| screen.block_lines(block));
        let expected = ["A\\u{1b}[2Jb.", "", "    a\\u{7}\tb", ""];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}

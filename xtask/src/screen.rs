//! The output of the course, on a terminal or in plain text.

use std::env;
use std::io::{self, IsTerminal, Write};

use textwrap::Options;

use crate::highlight::painted;
use crate::style::{ALARM, BOLD, HEADING, INDENT, MAGENTA, Style};
use crate::wrap::wrap;
use crate::{keys, markdown};
use course::document::Block;
use course::source::visible;

const PLAIN_WIDTH: usize = 80;
const MAX_WIDTH: usize = 100;

/// The size without a terminal: everything fits on one page.
const ENDLESS: (usize, usize) = (usize::MAX, usize::MAX);

/// Clears the row of the cursor.
const CLEAR: &str = "\r\u{1b}[2K";

/// Standard output. Methods that show a block end it with an empty line.
#[derive(Default)]
pub(crate) struct Screen {
    pub(crate) style: Style,
    /// The maximum width of prose.
    pub(crate) width: usize,
    /// The columns and rows of the terminal; a longer line takes several rows.
    pub(crate) size: (usize, usize),
    /// What's around the lines of a live page, and the lines so far.
    pub(crate) live: Option<(String, Vec<String>)>,
    /// The page on the terminal, and how many lines of the next one are there already.
    pub(crate) page_shown: (String, usize),
    status_shown: bool,
}

impl Screen {
    /// Returns the screen, which is plain if `plain` or `NO_COLOR` is set, or without a terminal.
    pub(crate) fn stdout(plain: bool) -> Self {
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let is_plain = plain || no_colour || dumb || !io::stdout().is_terminal();
        let style = [Style::Colour, Style::Plain][usize::from(is_plain)];
        let mut screen = Self {
            style,
            width: PLAIN_WIDTH,
            ..Self::default()
        };
        screen.measure();
        screen
    }

    /// Updates the size of the terminal, and returns whether it has changed: a teacher may enlarge the font
    /// during a lesson.
    pub(crate) fn measure(&mut self) -> bool {
        let size = terminal_size::terminal_size_of(io::stdout());
        let size = size.map_or(ENDLESS, |(columns, rows)| {
            (columns.0.max(1).into(), rows.0.into())
        });
        if !self.is_plain() && size != ENDLESS {
            self.width = MAX_WIDTH.min(size.0);
        }
        std::mem::replace(&mut self.size, size) != size
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        if let Some((_, lines)) = &mut self.live {
            lines.push(line.to_owned());
            if !self.is_plain() && keys::has_resumed() {
                return self.show_live();
            }
        }
        writeln!(io::stdout(), "{line}")
    }

    pub(crate) fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }

    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.style.paint(HEADING, &visible(text)))?;
        self.blank()
    }

    /// Shows the text and code of a README.
    pub(crate) fn blocks(&mut self, blocks: &[Block]) -> io::Result<()> {
        self.lines(&self.laid_out(blocks).concat())
    }

    /// Returns the lines of each block. A heading alone is in the block after it.
    pub(crate) fn laid_out(&self, blocks: &[Block]) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = Vec::new();
        for block in blocks {
            let lines = self.block_lines(block);
            match all.last_mut() {
                Some(heading) if heading.iter().filter(|line| !line.is_empty()).count() == 1 => {
                    heading.extend(lines);
                }
                _ => all.push(lines),
            }
        }
        all
    }

    fn block_lines(&self, block: &Block) -> Vec<String> {
        match block {
            Block::Prose(text) => {
                let text = text.replace("\r\n", "\n");
                let mut lines = markdown::lines(&visible(&text), self.width, self.style);
                lines.extend((!lines.is_empty()).then(String::new));
                lines
            }
            Block::Code(code) => self.code_lines(code.label(), code.language(), &code.text),
        }
    }

    /// Shows code as it is, under a label unless that is empty.
    pub(crate) fn code(&mut self, label: &str, language: &str, code: &str) -> io::Result<()> {
        self.lines(&self.code_lines(label, language, code))
    }

    /// Returns the lines of code under a label, unless that is empty.
    pub(crate) fn code_lines(&self, label: &str, language: &str, code: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if !label.is_empty() {
            lines.push(self.style.paint(MAGENTA, &format!("{label}:")));
        }
        let code = painted(language, &visible(&code.replace("\r\n", "\n")), self.style);
        lines.extend(code.lines().flat_map(|line| self.with_gutter(" ", line)));
        lines.push(String::new());
        lines
    }

    /// Shows a line of a running program, without delay.
    pub(crate) fn output(&mut self, line: &str) -> io::Result<()> {
        self.lines(&self.with_gutter("\u{2502}", &visible(line.trim_end())))?;
        io::stdout().flush()
    }

    /// Returns a line with a sign in front. On a terminal, a line that is too long is wrapped.
    fn with_gutter(&self, sign: &str, line: &str) -> Vec<String> {
        if self.is_plain() || (line.is_empty() && sign == " ") {
            return vec![format!("{INDENT}{line}").trim_end().to_owned()];
        }
        let gutter = |sign| format!("  {} ", self.style.paint(MAGENTA, sign));
        let indent = line.len() - line.trim_start().len() + INDENT.len();
        let most = self.width.saturating_sub(INDENT.len()) / 2;
        let more = gutter("\u{21b3}") + &" ".repeat(indent.min(most));
        let first = gutter(sign);
        let options = Options::new(self.width).initial_indent(&first);
        wrap(line, options.subsequent_indent(&more))
    }

    /// Shows a command whose output follows, line by line.
    pub(crate) fn command(&mut self, label: &str, command: &str) -> io::Result<()> {
        self.line(&self.style.paint(MAGENTA, label))?;
        let command = self.style.paint(BOLD, &format!("$ {command}"));
        self.line(&format!("{INDENT}{command}"))
    }

    /// Shows plain text, wrapped.
    pub(crate) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        self.lines(&wrap(text, Options::new(self.width).break_words(false)))?;
        self.blank()
    }

    pub(crate) fn failure(&mut self, text: &str) -> io::Result<()> {
        self.paragraph(&self.style.paint(ALARM, text))
    }

    /// Shows a status, until [`Screen::end_status`]. On a terminal, it includes the detail and replaces the
    /// previous status; elsewhere, it's printed once, without the detail.
    pub(crate) fn status(&mut self, text: &str, detail: &str) -> io::Result<()> {
        if !self.is_plain() {
            let status = self.shortened(&format!("{text} ... {detail}"));
            write!(io::stdout(), "{CLEAR}{status}")?;
        } else if !self.status_shown {
            self.paragraph(&format!("{text} ..."))?;
        }
        self.status_shown = true;
        io::stdout().flush()
    }

    /// Removes the status, if that's possible.
    pub(crate) fn end_status(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.status_shown) && !self.is_plain() {
            write!(io::stdout(), "{CLEAR}")?;
        }
        io::stdout().flush()
    }

    /// Returns as much of a text as fits on a line, with the cursor after it.
    fn shortened(&self, text: &str) -> String {
        text.chars().take(self.width.saturating_sub(4)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{MAGENTA, Screen, Style};
    use crate::style::{KEYWORD, RED};
    use course::document::Document;

    fn terminal(style: Style, columns: usize, rows: usize) -> Screen {
        Screen {
            style,
            width: columns,
            size: (columns, rows),
            ..Screen::default()
        }
    }

    #[test]
    fn on_a_terminal_a_long_line_of_code_is_wrapped() {
        let text = "```rust\n    let long = \"a text of words\";\n```\n";
        let block = &Document::parse(text).opening[0];
        let mut shown = terminal(Style::Colour, 30, 24)
            .block_lines(block)
            .join("\n");
        for (on, off) in [KEYWORD, RED, MAGENTA] {
            shown = shown.replace(on, "").replace(off, "");
        }
        let expected = "Rust:\n        let long = \"a text of\n  \u{21b3}         words\";\n";
        assert_eq!(shown, expected);
        let shown = terminal(Style::Plain, 30, 24).block_lines(block);
        assert_eq!(shown[1], "        let long = \"a text of words\";");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let document = Document::parse("A\u{1b}[2Jb.\r\n\r\n```text\r\na\u{7}\tb\r\n```\r\n");
        let shown = terminal(Style::Plain, 80, 24).laid_out(&document.opening);
        assert_eq!(shown.concat(), ["A\\u{1b}[2Jb.", "", "    a\\u{7}\tb", ""]);
    }
}

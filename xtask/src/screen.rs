use std::env;
use std::io::{self, IsTerminal, Write};

use textwrap::core::display_width;

use crate::ink::{self, Ink};
use crate::look::{INDENT, Look};
use crate::{markdown, page};

const PLAIN_WIDTH: usize = 80;
const WIDEST: usize = 100;

/// Where the course is shown. What shows a block ends it with an empty line.
pub(crate) struct Screen<'a> {
    out: Box<dyn Write + 'a>,
    look: Look,
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
        let look = if plain || no_colour || dumb || !io::stdout().is_terminal() {
            Look::Plain
        } else {
            Look::Colour
        };
        let mut screen = Screen::new(io::stdout().lock(), look, PLAIN_WIDTH);
        screen.measure();
        screen
    }

    /// Notes how large the terminal is now: somebody may make the letters larger during a lesson.
    pub(crate) fn measure(&mut self) {
        if let Some((width, height)) = terminal_size::terminal_size_of(io::stdout()) {
            self.height = Some(usize::from(height.0));
            self.columns = usize::from(width.0);
            if self.look == Look::Colour {
                self.width = self.columns.min(WIDEST);
            }
        }
    }

    /// Shows on anything that can be written to.
    pub(crate) fn new(out: impl Write + 'a, look: Look, width: usize) -> Self {
        Self {
            out: Box::new(out),
            look,
            width,
            columns: width,
            height: None,
            filled: 0,
            status_shown: false,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether only plain text is shown.
    pub(crate) fn is_plain(&self) -> bool {
        self.look == Look::Plain
    }

    /// Shows the title of a lesson, and its place in the course.
    pub(crate) fn title(&mut self, place: &str, title: &str) -> io::Result<()> {
        let lines = self.title_lines(place, title);
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Gives the lines that show the title of a lesson, and its place in the course.
    pub(crate) fn title_lines(&self, place: &str, title: &str) -> [String; 3] {
        let title = self.look.underlined(&self.look.heading(title));
        [self.look.label(place), title, String::new()]
    }

    /// Shows the heading of a section.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        let lines = self.heading_lines(text);
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Gives the lines that show the heading of a section.
    pub(crate) fn heading_lines(&self, text: &str) -> [String; 2] {
        [self.look.heading(text), String::new()]
    }

    /// Shows Markdown.
    pub(crate) fn prose(&mut self, text: &str) -> io::Result<()> {
        let lines = self.prose_lines(text);
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Gives the lines that show Markdown.
    pub(crate) fn prose_lines(&self, text: &str) -> Vec<String> {
        let mut lines = markdown::lines(text, self.width, self.look);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines
    }

    /// Shows code as it is, under a label unless that is empty.
    pub(crate) fn code(&mut self, label: &str, language: &str, code: &str) -> io::Result<()> {
        let lines = self.code_lines(label, language, code);
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// Gives the lines that show code, under a label unless that is empty. On a terminal a line that
    /// is too long goes on below itself.
    pub(crate) fn code_lines(&self, label: &str, language: &str, code: &str) -> Vec<String> {
        let mut lines = Vec::new();
        if !label.is_empty() {
            lines.push(self.look.label(&format!("{label}:")));
        }
        for line in ink::lines(language, code) {
            lines.extend(self.indented(INDENT, line));
        }
        lines.push(String::new());
        lines
    }

    /// Gives a line of code or output behind its gutter, divided where that is needed.
    fn indented(&self, gutter: &str, line: ink::Line) -> Vec<String> {
        if self.look == Look::Plain {
            let text: String = line.iter().map(|(_, piece)| *piece).collect();
            return vec![format!("{gutter}{text}").trim_end().to_owned()];
        }
        let width = self.width.saturating_sub(INDENT.len());
        let begin = line.first().map_or("", |(_, piece)| *piece);
        let indent = begin.len() - begin.trim_start().len();
        let more = " ".repeat((indent + INDENT.len()).min(width / 2));
        let parts = ink::divided(line, width, width - more.len()).into_iter();
        let lines = parts.enumerate().map(|(place, part)| {
            let mut shown = match place {
                0 => gutter.to_owned(),
                _ => format!("{}{more}", self.look.continuation()),
            };
            shown.extend(part.iter().map(|(ink, piece)| self.look.inked(*ink, piece)));
            shown.trim_end().to_owned()
        });
        lines.collect()
    }

    /// Tells how many of these lines can be shown before that question, so that they can be read
    /// with it. Where nobody sees pages it is all of them.
    pub(crate) fn fitting(&self, lines: &[String], question: &str) -> usize {
        let Some(height) = self.height else {
            return lines.len();
        };
        let question = match self.look {
            Look::Plain => self.rows(&plain_question(question)),
            Look::Colour => 1,
        };
        // Below the question there is an empty row.
        let page = height.saturating_sub(question + 1).max(1);
        let room = page.saturating_sub(self.filled);
        page::fitting(lines, |line| self.rows(line), room, page)
    }

    /// Tells how many rows of the terminal a line takes.
    fn rows(&self, line: &str) -> usize {
        display_width(line).div_ceil(self.columns.max(1)).max(1)
    }

    /// Shows a command whose output follows, line by line.
    pub(crate) fn command(&mut self, label: &str, command: &str) -> io::Result<()> {
        self.line(&self.look.label(label))?;
        let command = self.look.heading(command);
        self.line(&format!("    {command}"))
    }

    /// Shows a line of a running program at once.
    pub(crate) fn output(&mut self, line: &str) -> io::Result<()> {
        for line in self.indented(self.look.gutter(), vec![(Ink::Other, line)]) {
            self.line(&line)?;
        }
        self.out.flush()
    }

    /// Shows text of several lines' length.
    pub(crate) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        for line in markdown::wrap(text, self.width, "", "") {
            self.line(&line)?;
        }
        self.blank()
    }

    /// Shows a short remark.
    pub(crate) fn remark(&mut self, text: &str) -> io::Result<()> {
        self.line(text)?;
        self.blank()
    }

    /// Shows that something went wrong.
    pub(crate) fn failure(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.look.alarm(text))?;
        self.blank()
    }

    /// Shows a question that is answered by a key, until [`Screen::end_ask`].
    pub(crate) fn ask(&mut self, question: &str) -> io::Result<()> {
        match self.look {
            Look::Colour => {
                let fitting = self.shortened(question);
                let question = self.look.question(&fitting);
                write!(self.out, "\r\u{1b}[2K{question} ")?;
            }
            Look::Plain => self.line(&plain_question(question))?,
        }
        self.out.flush()
    }

    /// Takes the question away again, where it can be.
    pub(crate) fn end_ask(&mut self) -> io::Result<()> {
        self.filled = 0;
        match self.look {
            Look::Colour => write!(self.out, "\r\u{1b}[2K"),
            Look::Plain => writeln!(self.out),
        }
    }

    /// Gives as much of a text as fits on a line, the cursor behind it.
    fn shortened(&self, text: &str) -> String {
        text.chars().take(self.width.saturating_sub(4)).collect()
    }

    /// Shows what is going on, until [`Screen::end_status`]. On a terminal it comes with its detail,
    /// and each status replaces the one before; elsewhere it is told once, without.
    pub(crate) fn status(&mut self, text: &str, detail: &str) -> io::Result<()> {
        match self.look {
            Look::Colour => {
                let fitting = self.shortened(&format!("{text} ... {detail}"));
                write!(self.out, "\r\u{1b}[2K{fitting}")?;
            }
            Look::Plain if !self.status_shown => self.remark(&format!("{text} ..."))?,
            Look::Plain => {}
        }
        self.status_shown = true;
        self.out.flush()
    }

    /// Takes the status away again, where it can be.
    pub(crate) fn end_status(&mut self) -> io::Result<()> {
        if self.status_shown && self.look == Look::Colour {
            write!(self.out, "\r\u{1b}[2K")?;
        }
        self.status_shown = false;
        Ok(())
    }

    /// Shows one line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.filled += self.rows(line);
        writeln!(self.out, "{line}")
    }

    /// Shows an empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }
}

fn plain_question(question: &str) -> String {
    format!("[{question}]")
}

#[cfg(test)]
mod tests;

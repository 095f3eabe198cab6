use std::env;
use std::io::{self, IsTerminal, Write};

use crate::markdown;

/// How the course looks: in plain text, or with the few colours of a terminal.
///
/// The colours are bold and underlined text, magenta and red: those of the basic ones that can be
/// read on a light and on a dark background.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Look {
    #[default]
    Plain,
    Colour,
}

impl Look {
    /// Gives what begins and what ends bold text.
    pub(crate) fn bold(self) -> (&'static str, &'static str) {
        self.choose(("\u{1b}[1m", "\u{1b}[22m"))
    }

    pub(crate) fn heading(self, text: &str) -> String {
        surround(self.bold(), text)
    }

    pub(crate) fn inline_code(self, code: &str) -> String {
        match self {
            Look::Plain => format!("`{code}`"),
            Look::Colour => surround(self.bold(), code),
        }
    }

    fn underlined(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[4m", "\u{1b}[24m")), text)
    }

    fn label(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[35m", "\u{1b}[39m")), text)
    }

    fn alarm(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[1;31m", "\u{1b}[22;39m")), text)
    }

    fn choose(self, codes: (&'static str, &'static str)) -> (&'static str, &'static str) {
        match self {
            Look::Plain => ("", ""),
            Look::Colour => codes,
        }
    }
}

fn surround((before, after): (&str, &str), text: &str) -> String {
    format!("{before}{text}{after}")
}

const PLAIN_WIDTH: usize = 80;
const WIDEST: usize = 100;

/// Where the course is shown. Every method that shows a block ends it with an empty line.
pub(crate) struct Screen<'a> {
    out: Box<dyn Write + 'a>,
    look: Look,
    width: usize,
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
        let width = match look {
            Look::Plain => PLAIN_WIDTH,
            Look::Colour => terminal_size::terminal_size()
                .map_or(PLAIN_WIDTH, |(width, _)| usize::from(width.0))
                .min(WIDEST),
        };
        Screen::new(io::stdout().lock(), look, width)
    }

    /// Shows on anything that can be written to.
    pub(crate) fn new(out: impl Write + 'a, look: Look, width: usize) -> Self {
        Self {
            out: Box::new(out),
            look,
            width,
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
        let title = self.look.underlined(&self.look.heading(title));
        self.line(&self.look.label(place))?;
        self.line(&title)?;
        self.blank()
    }

    /// Shows the heading of a section.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.look.heading(text))?;
        self.blank()
    }

    /// Shows a heading right above what belongs to it.
    pub(crate) fn subheading(&mut self, text: &str) -> io::Result<()> {
        self.line(&self.look.heading(text))
    }

    /// Shows the heading of a step: its name, and what it shows.
    pub(crate) fn step(&mut self, name: &str, words: &str) -> io::Result<()> {
        let text = format!("Step {name}: {words}");
        self.heading(&text)
    }

    /// Shows Markdown.
    pub(crate) fn prose(&mut self, text: &str) -> io::Result<()> {
        let lines = markdown::lines(text, self.width, self.look);
        if lines.is_empty() {
            return Ok(());
        }
        for line in lines {
            self.line(&line)?;
        }
        self.blank()
    }

    /// Shows code as it is, under a label unless that is empty.
    pub(crate) fn code(&mut self, label: &str, _language: &str, code: &str) -> io::Result<()> {
        if !label.is_empty() {
            self.line(&self.look.label(&format!("{label}:")))?;
        }
        for line in code.lines() {
            let line = format!("    {line}");
            self.line(line.trim_end())?;
        }
        self.blank()
    }

    /// Shows a command whose output follows, line by line.
    pub(crate) fn command(&mut self, label: &str, command: &str) -> io::Result<()> {
        self.line(&self.look.label(label))?;
        let command = self.look.heading(command);
        self.line(&format!("    {command}"))
    }

    /// Shows a line of a running program at once.
    pub(crate) fn output(&mut self, line: &str) -> io::Result<()> {
        let gutter = match self.look {
            Look::Plain => "    ",
            Look::Colour => "  \u{1b}[35m\u{2502}\u{1b}[39m ",
        };
        self.line(format!("{gutter}{line}").trim_end())?;
        self.out.flush()
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
                let fitting = self.fitting(question);
                let question = self.look.label(&fitting);
                write!(self.out, "\r\u{1b}[2K{question} ")?;
            }
            Look::Plain => self.line(&format!("[{question}]"))?,
        }
        self.out.flush()
    }

    /// Takes the question away again, where it can be.
    pub(crate) fn end_ask(&mut self) -> io::Result<()> {
        match self.look {
            Look::Colour => write!(self.out, "\r\u{1b}[2K"),
            Look::Plain => self.blank(),
        }
    }

    /// Gives as much of a text as fits on a line, the cursor behind it.
    fn fitting(&self, text: &str) -> String {
        text.chars().take(self.width.saturating_sub(2)).collect()
    }

    /// Shows what is going on, until [`Screen::end_status`]. On a terminal it comes with its detail,
    /// and each status replaces the one before; elsewhere it is told once, without.
    pub(crate) fn status(&mut self, text: &str, detail: &str) -> io::Result<()> {
        match self.look {
            Look::Colour => {
                let fitting = self.fitting(&format!("{text} ... {detail}"));
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
        writeln!(self.out, "{line}")
    }

    /// Shows an empty line.
    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }
}

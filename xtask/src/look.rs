use crate::ink::Ink;

/// What stands before a line of code. Its width is that of the gutters, too.
pub(crate) const INDENT: &str = "    ";

/// How the course looks: in plain text, or with the few colours of a terminal.
///
/// The colours are bold, underlined, faint and inverted text, magenta and red: those of the basic ones
/// that can be read on a light and on a dark background.
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

    pub(crate) fn underlined(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[4m", "\u{1b}[24m")), text)
    }

    pub(crate) fn label(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[35m", "\u{1b}[39m")), text)
    }

    pub(crate) fn question(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[7m ", " \u{1b}[27m")), text)
    }

    pub(crate) fn alarm(self, text: &str) -> String {
        surround(self.choose(("\u{1b}[1;31m", "\u{1b}[22;39m")), text)
    }

    /// Shows a piece of code.
    pub(crate) fn inked(self, ink: Ink, text: &str) -> String {
        let codes = match ink {
            Ink::Other => ("", ""),
            Ink::Keyword => self.bold(),
            Ink::Quoted => self.choose(("\u{1b}[35m", "\u{1b}[39m")),
            Ink::Comment => self.choose(("\u{1b}[2m", "\u{1b}[22m")),
        };
        surround(codes, text)
    }

    /// Gives what stands before each line of a program's output.
    pub(crate) fn gutter(self) -> &'static str {
        match self {
            Look::Plain => INDENT,
            Look::Colour => "  \u{1b}[35m\u{2502}\u{1b}[39m ",
        }
    }

    /// Gives what stands before a line that goes on with the one above.
    pub(crate) fn continuation(self) -> &'static str {
        match self {
            Look::Plain => INDENT,
            Look::Colour => "  \u{1b}[35m\u{21b3}\u{1b}[39m ",
        }
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

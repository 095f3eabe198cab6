//! The styles of the output: plain text, or a few colours on a terminal.

/// The indentation of a line of code, as wide as a gutter.
pub(crate) const INDENT: &str = "    ";

/// The escape sequences that begin and end a style. All styles are legible on light and dark backgrounds.
pub(crate) type Codes = (&'static str, &'static str);

pub(crate) const BOLD: Codes = ("\u{1b}[1m", "\u{1b}[22m");
pub(crate) const FAINT: Codes = ("\u{1b}[2m", "\u{1b}[22m");
pub(crate) const RED: Codes = ("\u{1b}[31m", "\u{1b}[39m");
pub(crate) const MAGENTA: Codes = ("\u{1b}[35m", "\u{1b}[39m");
pub(crate) const KEYWORD: Codes = ("\u{1b}[1;35m", "\u{1b}[22;39m");
pub(crate) const HEADING: Codes = ("\u{1b}[1;4m", "\u{1b}[22;24m");
pub(crate) const ALARM: Codes = ("\u{1b}[1;31m", "\u{1b}[22;39m");

/// Plain text, or colours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Style {
    #[default]
    Plain,
    Colour,
}

impl Style {
    pub(crate) fn codes(self, codes: Codes) -> Codes {
        match self {
            Self::Plain => ("", ""),
            Self::Colour => codes,
        }
    }

    pub(crate) fn paint(self, codes: Codes, text: &str) -> String {
        match self.codes(codes) {
            (on, off) if !text.is_empty() => format!("{on}{text}{off}"),
            _ => String::new(),
        }
    }
}

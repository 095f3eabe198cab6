use std::fmt;

use super::Numbered;
use super::alignment::{Alignment, Row};

/// So many lines of a difference are shown.
const SHOWN: usize = 12;

/// In what a run differs from its transcript.
#[derive(Debug, Default)]
pub struct Difference {
    /// What the reader sees: lines that begin with `-`, with `+` or with a space.
    lines: Vec<String>,
    /// The last line in order before which nothing differs, to tell where it is.
    same: Option<String>,
    /// The place of the first line of the transcript that is concerned, counted from 0.
    first: Option<usize>,
    last_place: usize,
}

impl Difference {
    /// Gives the place in the transcript, counted from 0, at which the difference is.
    pub fn place(&self) -> usize {
        self.first.unwrap_or(0)
    }

    pub(super) fn is_any(&self) -> bool {
        !self.lines.is_empty()
    }

    pub(super) fn add(&mut self, alignment: Alignment) {
        self.same = None;
        for row in alignment.rows {
            match row {
                Row::Same(place, text) => {
                    self.last_place = place;
                    self.same = Some(format!("  {text}"));
                }
                Row::Missing(place, text) => self.tell(place, format!("- {text}")),
                Row::Extra(text) => self.extra(text),
            }
        }
        self.same = None;
    }

    pub(super) fn missing(&mut self, (place, line): Numbered) {
        self.tell(place, format!("- {}", line.text()));
    }

    pub(super) fn extra(&mut self, text: &str) {
        self.tell(self.last_place, format!("+ {text}"));
    }

    fn tell(&mut self, place: usize, line: String) {
        self.first = Some(self.first.map_or(place, |first| first.min(place)));
        self.last_place = place;
        self.lines.extend(self.same.take());
        self.lines.push(line);
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().take(SHOWN).enumerate() {
            let before = if index == 0 { "" } else { "\n" };
            write!(f, "{before}{}", line.trim_end())?;
        }
        match self.lines.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  ... and {more} lines more"),
        }
    }
}

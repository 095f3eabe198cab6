//! Text tables.

use textwrap::Options;
use textwrap::core::display_width;

use crate::style::BOLD;
use crate::wrap::wrap;

const GAP: &str = "  ";
const MIN_WIDTH: usize = 6;

/// Lays out rows, the first of which is the heading, in a table of at most `width` columns.
///
/// If it's too wide, the widest column is narrowed, and its cells are wrapped.
pub(crate) fn lines(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let widths = widths(rows, width);
    let lay_out = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(cell, width)| wrapped(cell, *width)).collect();
        let line = |number| {
            let cells = cells.iter().zip(&widths).map(|(lines, width)| {
                let text = lines.get(number).map_or("", String::as_str);
                text.to_owned() + &" ".repeat(width.saturating_sub(display_width(text)))
            });
            join(&cells.collect::<Vec<_>>())
        };
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        (0..height).map(line).collect::<Vec<String>>()
    };
    let rows: Vec<_> = rows.iter().map(lay_out).collect();
    // Rows of several lines are separated by empty lines.
    let is_spaced = rows.iter().skip(1).any(|row| row.len() > 1);
    let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut lines = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        if number == 1 {
            lines.push(join(&dashes));
        }
        lines.extend((is_spaced && number > 1).then(String::new));
        lines.extend(row);
    }
    lines
}

fn join(cells: &[String]) -> String {
    cells.join(GAP).trim_end().to_owned()
}

fn widths(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| display_width(cell)).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(widest).collect();
    let available = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > available
        && let Some(widest) = widths.iter_mut().max()
        && *widest > MIN_WIDTH
    {
        *widest -= 1;
    }
    widths
}

/// Wraps a cell. Breaks words that are longer than the column is wide. Bold text that continues on the next
/// line ends at the line's end, and begins again.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = wrap(cell, Options::new(width).break_words(false));
    if lines.iter().any(|line| display_width(line) > width) {
        lines = wrap(cell, Options::new(width));
    }
    let (on, off) = BOLD;
    let mut begin = "";
    for line in &mut lines {
        line.insert_str(0, begin);
        let is_bold = line.rfind(on) > line.rfind(off);
        begin = if is_bold { on } else { "" };
        line.push_str(if is_bold { off } else { "" });
    }
    lines
}

#[cfg(test)]
mod tests {
    fn lines<const N: usize>(rows: [[&str; 2]; N], width: usize) -> Vec<String> {
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        super::lines(&rows, width)
    }

    #[test]
    fn a_table_that_is_too_wide_is_wrapped_in_its_widest_column() {
        let rows = [
            ["a", "b"],
            ["one", "words that do not fit"],
            ["two", "\u{1b}[1mbold words\u{1b}[22m"],
        ];
        let expected = "a    b\n---  --------\none  words\n     that do\n     not fit\n\n\
                        two  \u{1b}[1mbold\u{1b}[22m\n     \u{1b}[1mwords\u{1b}[22m";
        assert_eq!(lines(rows, 13).join("\n"), expected);
    }

    #[test]
    fn a_long_word_does_not_reach_into_the_next_column() {
        let rows = [
            ["a", "b"],
            ["abcdefghijklmnop", "bcd"],
            ["one\u{a0}two\u{a0}three", "efg"],
        ];
        let lines = lines(rows, 15);
        assert!(lines.iter().all(|line| line.len() <= 15), "{lines:?}");
        assert_eq!(lines[2], "abcdefghij  bcd");
        assert_eq!(lines[5..], ["one two     efg", "three"]);
    }
}

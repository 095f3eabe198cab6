//! Tables in aligned columns.

use pulldown_cmark::Alignment;
use textwrap::Options;
use textwrap::core::display_width;

use crate::style::BOLD;
use crate::wrap::wrap;

const GAP: &str = "  ";
const NARROWEST: usize = 6;

/// Lays out rows, the first of which is the heading, in columns of at most `width` in all.
///
/// Columns that would not fit are narrowed, the widest first, and their cells wrapped.
pub(crate) fn lines(rows: &[Vec<String>], alignments: &[Alignment], width: usize) -> Vec<String> {
    let widths = widths(rows, width);
    let join = |cells: Vec<String>| cells.join(GAP).trim_end().to_owned();
    let mut lines = Vec::new();
    let mut wrapped_before = false;
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths);
        let cells: Vec<Vec<String>> = cells.map(|(cell, width)| wrapped(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        // Rows of several lines need air between them to be told apart.
        if index > 1 && (height > 1 || wrapped_before) {
            lines.push(String::new());
        }
        wrapped_before = height > 1;
        for line in 0..height {
            let parts = cells.iter().zip(&widths).enumerate();
            let parts = parts.map(|(column, (cell, width))| {
                let text = cell.get(line).map_or("", String::as_str);
                align(text, *width, alignments.get(column))
            });
            lines.push(join(parts.collect()));
        }
        if index == 0 {
            lines.push(join(
                widths.iter().map(|width| "-".repeat(*width)).collect(),
            ));
        }
    }
    lines
}

fn widths(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| display_width(cell)).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(widest).collect();
    let room = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room
        && let Some(widest) = widths.iter_mut().max()
        && *widest > NARROWEST
    {
        *widest -= 1;
    }
    widths
}

/// Wraps a cell. What is too long for its column is divided: it must not reach into the next one.
/// What is bold at the end of a line ends there, and begins anew on the next one.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = wrap(cell, Options::new(width).break_words(false));
    if lines.iter().any(|line| display_width(line) > width) {
        lines = wrap(cell, Options::new(width));
    }
    let (on, off) = BOLD;
    let mut begin = "";
    for line in &mut lines {
        *line = format!("{begin}{line}");
        let is_bold = line.rfind(on) > line.rfind(off);
        begin = if is_bold { on } else { "" };
        line.push_str(if is_bold { off } else { "" });
    }
    lines
}

fn align(text: &str, width: usize, alignment: Option<&Alignment>) -> String {
    // What only colours a text has letters, and no width.
    let width = width + text.chars().count() - display_width(text);
    match alignment {
        Some(Alignment::Right) => format!("{text:>width$}"),
        Some(Alignment::Center) => format!("{text:^width$}"),
        _ => format!("{text:<width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use pulldown_cmark::Alignment;

    fn table(rows: &[[&str; 2]], width: usize) -> Vec<String> {
        let rows = rows.iter().map(|row| row.map(str::to_owned).to_vec());
        let rows: Vec<_> = rows.collect();
        lines(&rows, &[Alignment::Left, Alignment::Right], width)
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["who", "time"], ["four threads", "2 s"]];
        let expected = [
            "who           time",
            "------------  ----",
            "four threads   2 s",
        ];
        assert_eq!(table(&rows, 80), expected);
    }

    #[test]
    fn a_table_too_wide_is_wrapped_in_its_widest_column() {
        let rows = [
            ["a", "b"],
            ["one", "words that do not fit"],
            ["two", "more"],
        ];
        let lines = table(&rows, 16);
        let expected = [
            "one   words that",
            "      do not fit",
            "",
            "two         more",
        ];
        assert_eq!(lines[2..], expected);
    }

    #[test]
    fn nothing_reaches_into_the_next_column() {
        let rows = [
            ["a", "b"],
            ["abcdefghijklmnop", "bcd"],
            ["one\u{a0}two\u{a0}three", "efg"],
        ];
        let lines = table(&rows, 15);
        assert!(lines.iter().all(|line| line.len() <= 15), "{lines:?}");
        assert_eq!(lines[2], "abcdefghij  bcd");
        assert_eq!(lines[5..], ["one two     efg", "three"]);
    }

    #[test]
    fn what_is_bold_stays_in_its_column() {
        let rows = [["a", "b"], ["\u{1b}[1mone two three\u{1b}[22m", "bcd"]];
        let lines = table(&rows, 12);
        assert_eq!(lines[2], "\u{1b}[1mone two\u{1b}[22m  bcd");
        assert_eq!(lines[3], "\u{1b}[1mthree\u{1b}[22m");
    }
}

use pulldown_cmark::Alignment;
use textwrap::core::display_width;

use crate::look::Look;
use crate::markdown::{wrap, wrap_anywhere};

const GAP: usize = 2;
const NARROWEST: usize = 6;

/// Lays out rows, the first of which is the heading, in aligned columns of at most `width` in all.
///
/// Columns that would not fit are narrowed, the widest first, and their cells wrapped.
pub(crate) fn lines(rows: &[Vec<String>], alignments: &[Alignment], width: usize) -> Vec<String> {
    let widths = widths(rows, width);
    let mut lines = Vec::new();
    let mut wrapped_before = false;
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<Vec<String>> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| wrapped(row.get(column).map_or("", String::as_str), *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        // Rows of several lines need air between them to be told apart.
        if index > 1 && (height > 1 || wrapped_before) {
            lines.push(String::new());
        }
        wrapped_before = height > 1;
        for line in 0..height {
            let parts = cells.iter().enumerate().map(|(column, cell)| {
                let text = cell.get(line).map_or("", String::as_str);
                let alignment = alignments.get(column).copied().unwrap_or(Alignment::None);
                align(text, widths[column], alignment)
            });
            let joined = parts.collect::<Vec<_>>().join(&" ".repeat(GAP));
            lines.push(joined.trim_end().to_owned());
        }
        if index == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            lines.push(rule.join(&" ".repeat(GAP)));
        }
    }
    lines
}

/// Wraps a cell. What is too long for its column is divided: it must not reach into the next one.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = wrap(cell, width, "", "");
    if lines.iter().any(|line| display_width(line) > width) {
        lines = wrap_anywhere(cell, width);
    }
    // The same for what is bold at the end of a line: it begins anew on the next one.
    let (bold, plain) = Look::Colour.bold();
    let mut is_bold = false;
    for line in &mut lines {
        let begin = if is_bold { bold } else { "" };
        is_bold = match (line.rfind(bold), line.rfind(plain)) {
            (None, None) => is_bold,
            (on, off) => on > off,
        };
        let end = if is_bold { plain } else { "" };
        *line = format!("{begin}{line}{end}");
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
    let room = width.saturating_sub(GAP * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn align(text: &str, width: usize, alignment: Alignment) -> String {
    let space = width.saturating_sub(display_width(text));
    let left = match alignment {
        Alignment::None | Alignment::Left => 0,
        Alignment::Center => space / 2,
        Alignment::Right => space,
    };
    format!("{}{text}{}", " ".repeat(left), " ".repeat(space - left))
}

#[cfg(test)]
mod tests {
    use super::lines;
    use pulldown_cmark::Alignment;
    use textwrap::core::display_width;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [row(&["who", "time"]), row(&["four threads", "2 s"])];
        let alignments = [Alignment::Left, Alignment::Right];
        assert_eq!(
            lines(&rows, &alignments, 80),
            [
                "who           time",
                "------------  ----",
                "four threads   2 s"
            ]
        );
    }

    #[test]
    fn a_table_too_wide_is_wrapped_in_its_widest_column() {
        let rows = [
            row(&["a", "b"]),
            row(&["one", "words that do not fit on one line"]),
            row(&["two", "more"]),
        ];
        let lines = lines(&rows, &[], 24);
        assert!(lines.iter().all(|line| line.len() <= 24), "{lines:?}");
        assert_eq!(lines[2], "one  words that do not");
        assert_eq!(lines[3], "     fit on one line");
        assert_eq!(lines[4], "");
        assert_eq!(lines[5], "two  more");
    }

    #[test]
    fn nothing_reaches_into_the_next_column() {
        let rows = [
            row(&["a", "b"]),
            row(&["abcdefghijklmnopqrstuvwxyz", "bcd"]),
            row(&["one\u{a0}two\u{a0}three", "efg"]),
        ];
        let lines = lines(&rows, &[], 15);
        assert!(
            lines.iter().all(|line| display_width(line) <= 15),
            "{lines:?}"
        );
        assert_eq!(lines[2], "abcdefghij  bcd");
        assert_eq!(lines[6], "one two     efg");
        assert_eq!(lines[7], "three");
    }

    #[test]
    fn what_is_bold_stays_in_its_column() {
        let rows = [
            row(&["a", "b"]),
            row(&["\u{1b}[1mone two three\u{1b}[22m", "bcd"]),
        ];
        let lines = lines(&rows, &[], 12);
        assert_eq!(lines[2], "\u{1b}[1mone two\u{1b}[22m  bcd");
        assert_eq!(lines[3], "\u{1b}[1mthree\u{1b}[22m");
    }
}

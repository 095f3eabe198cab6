//! Text tables.

use textwrap::Options;
use textwrap::core::display_width;

use crate::style::BOLD;
use crate::wrap::wrap;

const GAP: &str = "  ";

/// The indentation of a line that continues a cell, in a table without columns.
pub(crate) const INDENT: &str = "    ";

/// Lays out rows, the first of which is the heading, in a table of at most `width` columns.
///
/// If it's too wide, the widest column is narrowed, and its cells are wrapped. Words and short code are never
/// broken: if they don't fit beside each other, the cells of each row are listed below each other.
pub(crate) fn lines(rows: &[Vec<String>], width: usize) -> Vec<String> {
    match widths(rows, width) {
        Some(widths) => in_columns(rows, &widths),
        None => listed(rows, width),
    }
}

fn in_columns(rows: &[Vec<String>], widths: &[usize]) -> Vec<String> {
    let lay_out = |row: &Vec<String>| {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells.map(|(cell, width)| wrapped(cell, *width)).collect();
        let line = |number| {
            let cells = cells.iter().zip(widths).map(|(lines, width)| {
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

/// Lists the cells of each row, each after its heading. All but the first are indented.
fn listed(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (headings, rows) = rows.split_first().expect("a table has a heading");
    for row in rows {
        lines.extend((!lines.is_empty()).then(String::new));
        let mut indent = "";
        for (heading, cell) in headings
            .iter()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
        {
            let colon = if heading.is_empty() { "" } else { ": " };
            let options = Options::new(width).break_words(false);
            let options = options.initial_indent(indent).subsequent_indent(INDENT);
            lines.extend(wrap(&[heading, colon, cell].concat(), options));
            indent = GAP;
        }
    }
    lines
}

fn join(cells: &[String]) -> String {
    cells.join(GAP).trim_end().to_owned()
}

/// Returns the widths of the columns, unless a word or short code would have to be broken.
fn widths(rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize, limit| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let lines = cells.flat_map(|cell| wrapped(cell, limit));
        lines.map(|line| display_width(&line)).max().unwrap_or(0)
    };
    let least: Vec<usize> = (0..columns).map(|column| widest(column, 1)).collect();
    let mut widths: Vec<usize> = (0..columns)
        .map(|column| widest(column, usize::MAX))
        .collect();
    let available = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > available {
        let columns = widths.iter_mut().zip(&least);
        let columns = columns.filter(|(width, least)| **width > **least);
        *columns.map(|(width, _)| width).max()? -= 1;
    }
    Some(widths)
}

/// Wraps a cell. Bold text that continues on the next line ends at the line's end, and begins again.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    let mut lines = wrap(cell, Options::new(width).break_words(false));
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
    fn what_does_not_fit_beside_each_other_is_listed_below_each_other() {
        let rows = [
            ["", "Rust"],
            [
                "wait, but not forever",
                "join_timeout\u{a0}(limit), an error",
            ],
            ["", "not needed"],
            ["two", ""],
        ];
        let expected = "wait, but not forever\n  Rust:\n    join_timeout (limit),\n    an error\n\n\
                        Rust: not needed\n\ntwo";
        assert_eq!(lines(rows, 25).join("\n"), expected);
    }
}

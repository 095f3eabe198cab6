//! Lanes for the terminal: a line for each, a column for each stretch of time.

use std::collections::BTreeSet;

use crate::model::{Kind, Lane, Mark, Part, Sign, Timeline, time};

/// A longer name is cut.
const MAX_NAME: usize = 18;

/// What a column shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Absent,
    Present,
    Span(Kind),
    Mark(Sign),
    /// Puts and gets.
    Both,
    /// A letter of a note.
    Letter(char),
}

impl Cell {
    /// Returns how it looks plain and drawn, its style, and what it means. Characters alone tell cells apart; the styles
    /// are bold, magenta and red, which are legible on light and dark.
    fn look(self) -> (char, char, &'static str, &'static str) {
        match self {
            Cell::Absent | Cell::Mark(Sign::Note) => (' ', ' ', "", ""),
            Cell::Present => ('-', '─', "", "is there"),
            Cell::Span(kind @ Kind::Task) => ('=', '━', "1", kind.meaning()),
            Cell::Span(kind @ Kind::Wait) => ('.', '░', "", kind.meaning()),
            Cell::Span(kind @ Kind::Hold) => ('#', '█', "35", kind.meaning()),
            Cell::Mark(sign @ Sign::Put) => ('>', '▲', "1", sign.meaning()),
            Cell::Mark(sign @ Sign::Got) => ('<', '▼', "1", sign.meaning()),
            Cell::Mark(sign @ Sign::Terminated) => (']', '■', "", sign.meaning()),
            Cell::Mark(sign @ Sign::Failed) => ('X', 'X', "1;31", sign.meaning()),
            Cell::Both => ('*', '◆', "1", "both"),
            Cell::Letter(letter) => (letter, letter, "1", ""),
        }
    }
}

/// Returns the lanes of each part, `width` columns wide, and a legend.
pub(crate) fn lines(title: &str, timeline: &Timeline, width: usize, plain: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut used = BTreeSet::new();
    let edge = if plain { '|' } else { '│' };
    for part in timeline.shown_parts() {
        let shown: Vec<&Lane> = timeline.lanes_in(part).map(|(_, lane)| lane).collect();
        let names = shown.iter().map(|lane| lane.name.chars().count());
        let name_width = names.max().unwrap_or(0).min(MAX_NAME);
        let columns = width.saturating_sub(name_width + 3).max(10);
        let heading = match part.heading() {
            "" => title.to_owned(),
            heading => format!("{title}, {heading}"),
        };
        let length = time(part.length());
        let column = time(part.length() / columns as u64);
        lines.push(format!("{heading}: {length}, a column is {column}"));
        for lane in shown {
            let row = row(lane, part, columns);
            let name = format!("{:name_width$.name_width$}", lane.name);
            lines.push(format!("{name} {edge}{}{edge}", drawn(&row, plain)));
            used.extend(row);
        }
        lines.push(String::new());
    }
    lines.extend(legend(&used, plain));
    if timeline.is_cut {
        lines.push("A process recorded only its first 100000 events.".to_owned());
    }
    lines
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a column of a screen"
)]
fn row(lane: &Lane, part: &Part, columns: usize) -> Vec<Cell> {
    let column = |at| {
        let column = part.place(at, part.length()) * columns as f64;
        (column as usize).min(columns - 1)
    };
    let mut row = vec![Cell::Absent; columns];
    row[column(lane.start)..=column(lane.end)].fill(Cell::Present);
    for kind in Kind::ALL {
        let spans = lane.spans.iter().filter(|span| span.kind == kind);
        for span in spans.filter(|span| part.touches(span.start, span.end)) {
            let (start, end) = (column(span.start), column(span.end));
            // A wait of less than a column would hide what else is there.
            if kind != Kind::Wait || start < end {
                row[start..=end].fill(Cell::Span(kind));
            }
        }
    }
    let marks = lane.marks.iter();
    let marks: Vec<&Mark> = marks
        .filter(|mark| part.touches(mark.at, mark.at))
        .collect();
    for (index, mark) in marks.iter().enumerate() {
        let place = column(mark.at);
        row[place] = match (mark.sign, row[place]) {
            (Sign::Note, cell) => cell,
            (Sign::Put, Cell::Mark(Sign::Got) | Cell::Both)
            | (Sign::Got, Cell::Mark(Sign::Put) | Cell::Both) => Cell::Both,
            (sign, _) => Cell::Mark(sign),
        };
        if mark.sign == Sign::Note {
            // As many letters as there are columns up to the next mark, and one left between.
            let next = marks.get(index + 1).map_or(columns, |next| column(next.at));
            let letters = mark.label.chars().map(Cell::Letter);
            let letters = letters.take(next.saturating_sub(place + 1).max(1));
            for (cell, letter) in row[place..].iter_mut().zip(letters) {
                *cell = letter;
            }
        }
    }
    row
}

/// Returns the cells as text, those of one style between its escapes.
fn drawn(row: &[Cell], plain: bool) -> String {
    let mut text = String::new();
    for cells in row.chunk_by(|one, other| one.look().2 == other.look().2) {
        if plain {
            text.extend(cells.iter().map(|cell| cell.look().0));
            continue;
        }
        let letters: String = cells.iter().map(|cell| cell.look().1).collect();
        match cells[0].look().2 {
            "" => text += &letters,
            style => text += &["\u{1b}[", style, "m", &letters, "\u{1b}[0m"].concat(),
        }
    }
    text
}

/// Returns what the cells mean: a line for spans and notes, and one for what happens at a moment.
fn legend(used: &BTreeSet<Cell>, plain: bool) -> Vec<String> {
    let mut lines = [Vec::new(), Vec::new()];
    for &cell in used.iter().filter(|cell| !cell.look().3.is_empty()) {
        let line = &mut lines[usize::from(cell >= Cell::Mark(Sign::Note))];
        line.push(format!("{} {}", drawn(&[cell], plain), cell.look().3));
    }
    if used.iter().any(|cell| matches!(cell, Cell::Letter(_))) {
        lines[0].push("text: its own notes".to_owned());
    }
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    lines.map(|line| line.join("   ")).collect()
}

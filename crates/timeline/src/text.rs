//! Draws a timeline for the terminal: a line for each lane, a column for each time slice.

use std::collections::BTreeSet;

use crate::model::{Item, Kind, Lane, MEANINGS, Part, Timeline, time};

/// Longer names are cut.
const MAX_NAME: usize = 18;

/// What a column shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Absent,
    Present,
    Item(Kind),
    /// A put and a get.
    Both,
    /// A letter of a note.
    Letter(char),
}

impl Cell {
    /// Returns the plain and the drawn character, and the style. The characters alone are distinct; the styles are
    /// bold, magenta and red, which are legible on light and dark.
    fn look(self) -> (char, char, &'static str) {
        match self {
            Cell::Absent | Cell::Item(Kind::Note) => (' ', ' ', ""),
            Cell::Present => ('-', '─', ""),
            Cell::Item(Kind::Task) => ('=', '━', "1"),
            Cell::Item(Kind::Wait) => ('.', '░', ""),
            Cell::Item(Kind::Hold) => ('#', '█', "35"),
            Cell::Item(Kind::Put) => ('>', '▲', "1"),
            Cell::Item(Kind::Got) => ('<', '▼', "1"),
            Cell::Item(Kind::Terminated) => (']', '■', ""),
            Cell::Item(Kind::Failed) => ('X', 'X', "1;31"),
            Cell::Both => ('*', '◆', "1"),
            Cell::Letter(letter) => (letter, letter, "1"),
        }
    }
}

/// Returns the lanes of each part, `width` columns wide, and a legend.
pub(crate) fn lines(title: &str, timeline: &Timeline, width: usize, plain: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut used = BTreeSet::new();
    let edge = if plain { '|' } else { '│' };
    for part in &timeline.parts {
        let shown = timeline.lanes.iter().filter(|lane| part.shows(lane));
        let names = shown.clone().map(|lane| lane.name.chars().count());
        let name_width = names.max().unwrap_or(0).min(MAX_NAME);
        let columns = width.saturating_sub(name_width + 3).max(10);
        let comma = if part.title.is_empty() { "" } else { ", " };
        let length = time(part.length());
        let column = time(part.length() / columns as u64);
        let title = format!("{title}{comma}{}", part.title);
        lines.push(format!("{title}: {length}, a column is {column}"));
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
    for kind in Kind::SPANS {
        for span in part.items(lane, kind..=kind) {
            let (start, end) = (column(span.start), column(span.end));
            // A wait of less than a column would hide everything else in it.
            if kind != Kind::Wait || start < end {
                row[start..=end].fill(Cell::Item(kind));
            }
        }
    }
    let marks: Vec<&Item> = part.items(lane, Kind::MARKS).collect();
    for (index, mark) in marks.iter().enumerate() {
        let place = column(mark.start);
        if mark.kind == Kind::Note {
            // As many letters as fit before the next mark, with one column between.
            let next = marks.get(index + 1);
            let next = next.map_or(columns, |next| column(next.start));
            let width = next.saturating_sub(place + 1).max(1);
            for (cell, letter) in row[place..].iter_mut().zip(mark.label.chars().take(width)) {
                *cell = Cell::Letter(letter);
            }
            continue;
        }
        row[place] = match (mark.kind, row[place]) {
            (Kind::Put, Cell::Item(Kind::Got) | Cell::Both)
            | (Kind::Got, Cell::Item(Kind::Put) | Cell::Both) => Cell::Both,
            (kind, _) => Cell::Item(kind),
        };
    }
    row
}

/// Returns the cells as text, with an escape sequence around the cells of each style.
fn drawn(row: &[Cell], plain: bool) -> String {
    if plain {
        return row.iter().map(|cell| cell.look().0).collect();
    }
    let chunks = row.chunk_by(|one, other| one.look().2 == other.look().2);
    let chunks = chunks.map(|cells| {
        let letters: String = cells.iter().map(|cell| cell.look().1).collect();
        match cells[0].look().2 {
            "" => letters,
            style => format!("\u{1b}[{style}m{letters}\u{1b}[0m"),
        }
    });
    chunks.collect()
}

/// Returns the legend: one line for spans and notes, and one for marks.
fn legend(used: &BTreeSet<Cell>, plain: bool) -> Vec<String> {
    let mut lines = [Vec::new(), Vec::new()];
    for &cell in used {
        let meaning = match cell {
            Cell::Present => "is alive",
            Cell::Item(kind) => MEANINGS[kind as usize],
            Cell::Both => "both",
            Cell::Absent | Cell::Letter(_) => continue,
        };
        let line = &mut lines[usize::from(cell > Cell::Item(Kind::Note))];
        line.push(format!("{} {meaning}", drawn(&[cell], plain)));
    }
    if matches!(used.last(), Some(Cell::Letter(_))) {
        lines[0].push("text: its own notes".to_owned());
    }
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    lines.map(|line| line.join("   ")).collect()
}

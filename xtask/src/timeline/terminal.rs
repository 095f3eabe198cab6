//! Lanes for the terminal: a line for each, a column for each stretch of time.

use textwrap::core::display_width;

use super::legend::meaning;
use super::model::{Kind, Lane, Mark, Part, Sign, Timeline};
use super::words::time;

/// What the lanes are made of. They are told apart by their letters, not by colour.
pub(super) struct Letters {
    there: char,
    task: char,
    wait: char,
    hold: char,
    put: char,
    got: char,
    both: char,
    death: char,
    edge: char,
}

/// For every terminal, and for who has the screen read aloud.
pub(super) const PLAIN: Letters = Letters {
    there: '-',
    task: '=',
    wait: '.',
    hold: '#',
    put: '>',
    got: '<',
    both: '*',
    death: 'X',
    edge: '|',
};

pub(super) const DRAWN: Letters = Letters {
    there: '─',
    task: '━',
    wait: '░',
    hold: '█',
    put: '▲',
    got: '▼',
    both: '◆',
    death: 'X',
    edge: '│',
};

/// The longest name of a lane that is shown whole.
const LONGEST_NAME: usize = 18;

pub(super) fn lines(
    title: &str,
    timeline: &Timeline,
    letters: &Letters,
    width: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut used = Used::default();
    for part in timeline.shown_parts() {
        let present: Vec<&Lane> = timeline.lanes_in(part).map(|(_, lane)| lane).collect();
        let names = present.iter().map(|lane| display_width(&lane.name));
        let name_width = names.max().unwrap_or(0).min(LONGEST_NAME);
        let columns = width.saturating_sub(name_width + 3).max(10);
        let grid = Grid { part, columns };
        let heading = match part.heading() {
            "" => title.to_owned(),
            words => format!("{title}, {words}"),
        };
        lines.push(format!(
            "{heading}: {}, a column is {}",
            time(part.length()),
            time(part.length() / columns as u64)
        ));
        for lane in present {
            let name = fitting(&lane.name, name_width);
            let row = grid.row(lane, letters, &mut used);
            let edge = letters.edge;
            lines.push(format!("{name} {edge}{row}{edge}"));
        }
        lines.push(String::new());
    }
    lines.push(used.legend(letters));
    if timeline.is_cut {
        lines.push("A process has recorded only its first 100000 events.".to_owned());
    }
    lines
}

struct Grid<'a> {
    part: &'a Part,
    columns: usize,
}

impl Grid<'_> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a column of a screen"
    )]
    fn column(&self, at: u64) -> usize {
        let column = (self.part.place(at) * self.columns as f64) as usize;
        column.min(self.columns - 1)
    }

    fn row(&self, lane: &Lane, letters: &Letters, used: &mut Used) -> String {
        let mut row = vec![' '; self.columns];
        let mut fill = |start: u64, end: u64, letter: char| {
            row[self.column(start)..=self.column(end)].fill(letter);
        };
        fill(lane.start, lane.end, letters.there);
        used.there = true;
        // What is held covers what is waited for, and that covers what is run.
        let mut spans: Vec<_> = lane.spans.iter().collect();
        spans.sort_by_key(|span| span.kind);
        for span in spans {
            if !self.part.touches(span.start, span.end) {
                continue;
            }
            let is_short = self.column(span.start) == self.column(span.end);
            match span.kind {
                Kind::Task => {
                    fill(span.start, span.end, letters.task);
                    used.task = true;
                }
                // A wait of less than a column hides what else is there.
                Kind::Wait if is_short => {}
                Kind::Wait => {
                    fill(span.start, span.end, letters.wait);
                    used.wait = true;
                }
                Kind::Hold => {
                    fill(span.start, span.end, letters.hold);
                    used.hold = true;
                }
            }
        }
        self.set_marks(&mut row, lane, letters, used);
        row.into_iter().collect()
    }

    fn set_marks(&self, row: &mut [char], lane: &Lane, letters: &Letters, used: &mut Used) {
        let marks = lane.marks.iter();
        let marks: Vec<&Mark> = marks
            .filter(|mark| self.part.touches(mark.at, mark.at))
            .collect();
        for (index, mark) in marks.iter().enumerate() {
            let column = self.column(mark.at);
            match mark.sign {
                Sign::Note => {
                    let next = marks
                        .get(index + 1)
                        .map_or(self.columns, |next| self.column(next.at));
                    // As many letters as there are columns up to the next mark, and one left between.
                    let room = next.saturating_sub(column + 1).max(1);
                    for (place, letter) in
                        row[column..].iter_mut().zip(mark.label.chars().take(room))
                    {
                        *place = letter;
                    }
                    used.note = true;
                }
                Sign::Put => {
                    let both = [letters.got, letters.both].contains(&row[column]);
                    row[column] = if both { letters.both } else { letters.put };
                    used.both |= both;
                    used.put = true;
                }
                Sign::Got => {
                    let both = [letters.put, letters.both].contains(&row[column]);
                    row[column] = if both { letters.both } else { letters.got };
                    used.both |= both;
                    used.got = true;
                }
                Sign::Death => {
                    row[column] = letters.death;
                    used.death = true;
                }
            }
        }
    }
}

/// What the legend has to explain.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a letter")]
struct Used {
    there: bool,
    task: bool,
    wait: bool,
    hold: bool,
    put: bool,
    got: bool,
    both: bool,
    note: bool,
    death: bool,
}

impl Used {
    fn legend(&self, letters: &Letters) -> String {
        let entries = [
            (self.there, letters.there, meaning("there")),
            (self.task, letters.task, meaning("task")),
            (self.wait, letters.wait, meaning("wait")),
            (self.hold, letters.hold, meaning("hold")),
            (self.put, letters.put, meaning("put")),
            (self.got, letters.got, meaning("got")),
            (self.both, letters.both, "both"),
            (self.death, letters.death, meaning("dead")),
        ];
        let used = entries.iter().filter(|(used, ..)| *used);
        let words: Vec<String> = used
            .map(|(_, letter, words)| format!("{letter} {words}"))
            .collect();
        let note = if self.note {
            "   words and numbers: what it notes"
        } else {
            ""
        };
        words.join("   ") + note
    }
}

/// Cuts or fills a name to a width.
fn fitting(name: &str, width: usize) -> String {
    let mut fitting = String::new();
    for letter in name.chars() {
        if display_width(&fitting) + display_width(letter.encode_utf8(&mut [0; 4])) > width {
            break;
        }
        fitting.push(letter);
    }
    let fill = width.saturating_sub(display_width(&fitting));
    fitting + &" ".repeat(fill)
}

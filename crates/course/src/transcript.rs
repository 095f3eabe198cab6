//! The transcripts in the READMEs, and which runs they allow.
//!
//! A transcript is a block of the language `console`: a command, then what it prints. A second word
//! after the fence says what is free:
//!
//! | block | its lines |
//! |---|---|
//! | `console` | come in this order |
//! | `console any-order` | come in any order |
//! | `console per-worker` | of one worker come in this order; those of different workers interleave freely. A line's worker is its first word |
//!
//! In the two free kinds some lines divide the run: everything above them comes before them,
//! everything below them after them. One is a line that ends with a colon, the heading of a part
//! (`support::part`). The other is a line of the worker `main` that stands below lines of others, as
//! after a `join`; lines of `main` above those of the others are free, like the main thread that
//! goes on beside them.
//!
//! A first word with a pattern, such as `Process-[N]`, is the name of one worker.
//!
//! [`Line`] says what stands for what differs from run to run. A line of `...` alone allows any
//! number of lines; in a block per worker it would not say whose, so there it is refused.
//!
//! Why this is our own and not the package `snapbox`, which does the matching of `trycmd`: it knows
//! no workers; it finds the lines of a free order greedily, so that a line `[..]` takes what a
//! literal line needs and a legal run is refused; and it replaces whatever looks like a number
//! before it compares, so that a number cannot be a pattern in one place and certain in another.
//! What a line may contain is left to `regex-lite`. A library for the matching of lines in free order
//! would be many times larger than the twenty lines in `pairing.rs`.

mod alignment;
mod difference;
mod line;
mod pairing;

pub use difference::Difference;
pub use line::PATTERNS;

use self::alignment::align;
use self::line::Line;
use self::pairing::pair;
use crate::document::Code;
use crate::misuse::suggestion;

/// What a run of a command may print.
#[derive(Debug)]
pub struct Transcript {
    pub command: String,
    order: Order,
    lines: Vec<Line>,
}

/// How much of the order of its lines is certain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    AsWritten,
    Any,
    PerWorker,
}

/// The words that may stand after `console`.
const ORDERS: [(&str, Order); 2] = [("any-order", Order::Any), ("per-worker", Order::PerWorker)];

/// The worker that waits for all others.
const MAIN: &str = "main";

impl Transcript {
    /// Understands a block of the language `console`, or says why it cannot be understood.
    pub fn of(code: &Code) -> Result<Self, String> {
        let mut order = Order::AsWritten;
        for tag in code.tags().skip(1) {
            let Some((_, meant)) = ORDERS.iter().find(|(name, _)| *name == tag) else {
                let near = suggestion(tag, ORDERS.map(|(name, _)| name));
                return Err(format!("`{tag}` is no order of a transcript{near}"));
            };
            order = *meant;
        }
        let mut lines = code.text.lines();
        let command = lines.next().unwrap_or_default().trim_end();
        if !command.starts_with("$ ") {
            return Err("the transcript does not begin with `$ ` and a command".to_owned());
        }
        let lines: Vec<Line> = lines.map(Line::new).collect();
        if let Some(second) = lines.iter().find(|line| line.text().starts_with("$ ")) {
            return Err(format!("a second command, `{}`", second.text()));
        }
        if order == Order::PerWorker && lines.iter().any(Line::is_gap) {
            return Err("`...` in a block per worker does not say whose lines it means".to_owned());
        }
        Ok(Self {
            command: command.to_owned(),
            order,
            lines,
        })
    }

    /// Compares a run with the transcript. Gives nothing when the run is one that it allows.
    pub fn compare(&self, printed: &[String]) -> Option<Difference> {
        let printed: Vec<&str> = printed.iter().map(|line| line.trim_end()).collect();
        let mut difference = Difference::default();
        if self.order == Order::AsWritten {
            difference.add(align(&numbered(&self.lines), &printed));
        } else {
            let mut rest = printed.as_slice();
            for stage in stages(&self.lines) {
                rest = stage.compare(self.order, rest, &mut difference);
            }
            difference.add(align(&[], rest));
        }
        difference.is_any().then_some(difference)
    }
}

/// A line with its place in the block, counted from 0.
type Numbered<'a> = (usize, &'a Line);

fn numbered(lines: &[Line]) -> Vec<Numbered<'_>> {
    lines.iter().enumerate().collect()
}

/// Gives who says a line: its first word, without a colon at its end.
fn worker(line: &str) -> &str {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.strip_suffix(':').unwrap_or(word)
}

/// Tells whether a line is the heading of a part.
fn is_heading(line: &str) -> bool {
    line.ends_with(':')
}

/// Lines of free order, and the line that ends them, if there is one.
#[derive(Default)]
struct Stage<'a> {
    free: Vec<Numbered<'a>>,
    end: Option<Numbered<'a>>,
}

/// Divides the lines of a block after each heading, and after each line of `main` that stands below
/// lines of others.
fn stages(lines: &[Line]) -> Vec<Stage<'_>> {
    let mut stages = vec![];
    let mut stage = Stage::default();
    for (place, line) in numbered(lines) {
        let others_before = stage
            .free
            .iter()
            .any(|(_, free)| worker(free.text()) != MAIN);
        let after_others = worker(line.text()) == MAIN && others_before;
        if after_others || is_heading(line.text()) {
            stage.end = Some((place, line));
            stages.push(std::mem::take(&mut stage));
        } else {
            stage.free.push((place, line));
        }
    }
    stages.push(stage);
    stages
}

impl Stage<'_> {
    /// Compares the stage with the printed lines that belong to it, and gives those after it.
    fn compare<'p>(
        &self,
        order: Order,
        printed: &'p [&'p str],
        difference: &mut Difference,
    ) -> &'p [&'p str] {
        let end = self.end_in(printed);
        let (free, rest) = printed.split_at(end.unwrap_or(printed.len()));
        let (end, later) = rest.split_at(usize::from(end.is_some()));
        match order {
            Order::PerWorker => self.compare_workers(free, difference),
            _ => self.compare_lines(free, difference),
        }
        difference.add(align(self.end.as_slice(), end));
        later
    }

    /// Gives which of the printed lines ends the stage: its heading, or the line of `main` before
    /// which come as many of `main` as there are in the stage.
    fn end_in(&self, printed: &[&str]) -> Option<usize> {
        let (_, end) = self.end?;
        if is_heading(end.text()) {
            return printed.iter().position(|line| end.allows(line));
        }
        let free = self.free.iter().map(|(_, line)| line.text());
        let before = free.filter(|line| worker(line) == MAIN).count();
        let lines = printed.iter().enumerate();
        let mut of_main = lines.filter(|(_, line)| worker(line) == MAIN);
        of_main.nth(before).map(|(place, _)| place)
    }

    /// Each line of the stage stands for one that was printed.
    fn compare_lines(&self, printed: &[&str], difference: &mut Difference) {
        let (gaps, mut lines): (Vec<Numbered>, Vec<Numbered>) =
            self.free.iter().partition(|(_, line)| line.is_gap());
        // What is certain finds its line first, so that a pattern is what is left without one.
        lines.sort_by_key(|(_, line)| line.is_pattern());
        let pairs = pair(lines.len(), printed.len(), |line, place| {
            lines[line].1.allows(printed[place])
        });
        let without = lines.iter().zip(&pairs).filter(|(_, pair)| pair.is_none());
        let mut missing: Vec<Numbered> = without.map(|(line, _)| *line).collect();
        missing.sort_by_key(|(place, _)| *place);
        for line in missing {
            difference.missing(line);
        }
        for (place, line) in printed.iter().enumerate() {
            if gaps.is_empty() && !pairs.contains(&Some(place)) {
                difference.extra(line);
            }
        }
    }

    /// Each worker of the stage stands for one that printed its lines in the same order.
    fn compare_workers(&self, printed: &[&str], difference: &mut Difference) {
        let expected = by_worker(self.free.iter().copied(), |(_, line)| worker(line.text()));
        let actual = by_worker(printed.iter().copied(), |line| worker(line));
        let pairs = pair(expected.len(), actual.len(), |one, other| {
            align(&expected[one].1, &actual[other].1).is_same()
        });
        let mut left: Vec<&(&str, Vec<&str>)> = (0..actual.len())
            .filter(|place| !pairs.contains(&Some(*place)))
            .map(|place| &actual[place])
            .collect();
        let without = expected
            .iter()
            .zip(&pairs)
            .filter(|(_, pair)| pair.is_none());
        for ((name, lines), _) in without {
            // Its own lines are told beside those of its name, or else alone.
            let named = Line::new(name);
            let same = left.iter().position(|(other, _)| named.allows(other));
            let theirs = same.map_or(&[] as &[&str], |place| left.remove(place).1.as_slice());
            difference.add(align(lines, theirs));
        }
        for (_, lines) in left {
            difference.add(align(&[], lines));
        }
    }
}

/// Gathers lines by their worker, in the order of the workers' first lines.
fn by_worker<'n, L>(
    lines: impl Iterator<Item = L>,
    worker: impl Fn(&L) -> &'n str,
) -> Vec<(&'n str, Vec<L>)> {
    let mut groups: Vec<(&str, Vec<L>)> = Vec::new();
    for line in lines {
        let name = worker(&line);
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, group)) => group.push(line),
            None => groups.push((name, vec![line])),
        }
    }
    groups
}

#[cfg(test)]
mod tests;

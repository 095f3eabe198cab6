//! The transcripts in the READMEs, and which runs they allow. CONTRIBUTING.md says how one is written.
//!
//! In the two free orders some lines divide a run: everything above them comes before them, everything
//! below them after them. One is a line that ends with a colon, the heading of a part
//! (`support::part`). The other is a line of the worker `main` that is below lines of others, as after
//! a `join`; lines of `main` above those of the others are free.
//!
//! The lines between two such lines form groups whose order is certain: all lines, each line, or the
//! lines of each worker. A run is legal if each group of the transcript has a partner in the run.
//!
//! The package `snapbox` doesn't do: it knows no workers, and it finds lines of a free order greedily,
//! so that a line `[..]` takes what a literal line needs and a legal run is refused.

use std::fmt;
use std::slice;

use regex_lite::{Regex, escape};

use crate::document::Code;
use crate::misuse::suggestion;

/// What may be in a line for something that differs from run to run.
const PATTERNS: [(&str, &str); 4] = [
    // Anything.
    ("[..]", ".*"),
    // The id of a process or thread.
    ("[PID]", "[1-9][0-9]*"),
    // A number.
    ("[N]", r"-?[0-9]+(?:\.[0-9]+)?"),
    // A measured time, as `support::readable_time` writes it.
    ("[TIME]", r"[0-9]+(?:\.[0-9]+)? (?:s|ms|µs|ns)"),
];

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

/// The words that may follow `console`.
const ORDERS: [(&str, Order); 2] = [("any-order", Order::Any), ("per-worker", Order::PerWorker)];

impl Transcript {
    /// Parses a block of the language `console`, or says what is wrong with it.
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
        let command = lines.next().unwrap_or_default().trim_end().to_owned();
        if !command.starts_with("$ ") {
            return Err("the transcript does not begin with `$ ` and a command".to_owned());
        }
        let lines = (0..).zip(lines).map(Line::new);
        let lines: Vec<Line> = lines.collect();
        if let Some(second) = lines.iter().find(|line| line.text.starts_with("$ ")) {
            return Err(format!("a second command, `{}`", second.text));
        }
        Ok(Self {
            command,
            order,
            lines,
        })
    }

    /// Compares a run with the transcript. An error is the first difference.
    pub fn compare(&self, printed: &[String]) -> Result<(), Difference> {
        let printed: Vec<Line> = printed.iter().map(|text| Line::printed(text)).collect();
        let mut rest = printed.as_slice();
        let mut start = 0;
        for line in &self.lines {
            let free = &self.lines[start..line.place];
            if self.ends_stage(free, line) {
                let end = end_in(rest, free, line).unwrap_or(rest.len());
                let (stage, after) = rest.split_at(end);
                let (end, after) = after.split_at(after.len().min(1));
                self.compare_stage(free, stage, line.place)?;
                self.compare_stage(slice::from_ref(line), end, line.place)?;
                rest = after;
                start = line.place + 1;
            }
        }
        self.compare_stage(&self.lines[start..], rest, self.lines.len())
    }

    /// Returns whether everything above a line comes before it, and everything below it after it:
    /// whether it is a heading, or a line of `main` that is below lines of others.
    fn ends_stage(&self, free: &[Line], line: &Line) -> bool {
        let is_after_others = line.is_of_main() && !free.iter().all(Line::is_of_main);
        self.order != Order::AsWritten && (is_after_others || line.is_heading())
    }

    /// Compares lines of free order, below which `end` is the next one: each of their groups must have
    /// a partner.
    fn compare_stage(&self, free: &[Line], printed: &[Line], end: usize) -> Result<(), Difference> {
        let mut expected = self.groups(free);
        // Literal lines find their partner first, so that a pattern is what is left without one.
        expected.sort_by_key(|lines| lines[0].pattern.is_some());
        let actual = self.groups(printed);
        let fits = |one: usize, other: usize| {
            let (lines, printed) = (&expected[one], &actual[other]);
            let mut pairs = lines.iter().zip(printed);
            lines.len() == printed.len() && pairs.all(|(line, other)| line.allows(other))
        };
        let mut taken_by = vec![None; actual.len()];
        for one in 0..expected.len() {
            find_partner(one, &fits, &mut taken_by, &mut vec![false; actual.len()]);
        }
        let all = actual.iter().zip(&taken_by);
        let extra = all.filter(|(_, one)| one.is_none());
        let mut extra: Vec<_> = extra.map(|(lines, _)| lines.as_slice()).collect();
        let mut difference = Difference {
            place: end.saturating_sub(1),
            ..Difference::default()
        };
        for (one, lines) in expected.iter().enumerate() {
            if !taken_by.contains(&Some(one)) {
                // Compared with lines of the same worker, if there are any.
                let worker = Line::new((0, lines[0].worker()));
                let same = extra.iter().position(|theirs| {
                    self.order == Order::AsWritten
                        || worker.allows(&Line::printed(theirs[0].worker()))
                });
                let theirs = same.map_or(&[][..], |place| extra.remove(place));
                difference.add(lines, theirs);
            }
        }
        for theirs in extra {
            difference.add(&[], theirs);
        }
        let is_same = difference.missing.is_empty() && difference.extra.is_empty();
        if is_same { Ok(()) } else { Err(difference) }
    }

    /// Puts lines whose order is certain into one group.
    fn groups<'l>(&self, lines: &'l [Line]) -> Vec<Vec<&'l Line>> {
        let mut groups: Vec<Vec<&Line>> = Vec::new();
        for line in lines {
            let mut others = groups.iter_mut();
            let group = others.find(|group| match self.order {
                Order::AsWritten => true,
                Order::Any => false,
                Order::PerWorker => group[0].worker() == line.worker(),
            });
            match group {
                Some(group) => group.push(line),
                None => groups.push(vec![line]),
            }
        }
        groups
    }
}

/// Returns which of the printed lines ends a stage: its heading, or the line of `main` that as many of
/// `main` precede as there are in the stage.
fn end_in(printed: &[Line], free: &[Line], end: &Line) -> Option<usize> {
    if end.is_heading() {
        return printed.iter().position(|line| end.allows(line));
    }
    let before = free.iter().filter(|line| line.is_of_main());
    let mut of_main = (0..printed.len()).filter(|place| printed[*place].is_of_main());
    of_main.nth(before.count())
}

/// Finds a partner for `one`; those that have one may have to find another. `taken_by` tells whose
/// partner each of the others is. These are the augmenting paths of Berge and Kuhn.
fn find_partner(
    one: usize,
    fits: &impl Fn(usize, usize) -> bool,
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    (0..tried.len()).any(|other| {
        let is_new = !tried[other] && fits(one, other);
        tried[other] |= is_new;
        let is_found = is_new
            && taken_by[other].is_none_or(|rival| find_partner(rival, fits, taken_by, tried));
        if is_found {
            taken_by[other] = Some(one);
        }
        is_found
    })
}

/// A line of a transcript, or of a run.
#[derive(Debug)]
struct Line {
    /// Its place in the transcript, counted from 0.
    place: usize,
    text: String,
    /// What a line of a transcript allows, if it allows more than itself.
    pattern: Option<Regex>,
}

impl Line {
    fn new((place, text): (usize, &str)) -> Self {
        let literal = escape(text.trim_end());
        let meaning = |line: String, (name, meaning)| line.replace(&escape(name), meaning);
        let expression = PATTERNS.into_iter().fold(literal.clone(), meaning);
        // It cannot be invalid; if it were, the line would mean itself.
        let pattern = (expression != literal).then(|| Regex::new(&format!("^{expression}$")).ok());
        let mut line = Self::printed(text);
        line.place = place;
        line.pattern = pattern.flatten();
        line
    }

    fn printed(text: &str) -> Self {
        Self {
            place: 0,
            text: text.trim_end().to_owned(),
            pattern: None,
        }
    }

    /// Returns whether a run may print this line here.
    fn allows(&self, printed: &Line) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(&printed.text),
            None => self.text == printed.text,
        }
    }

    /// Returns who says the line: its first word, without a colon at its end.
    fn worker(&self) -> &str {
        let word = self.text.split_whitespace().next().unwrap_or_default();
        word.strip_suffix(':').unwrap_or(word)
    }

    /// Returns whether it is of the worker that waits for all others.
    fn is_of_main(&self) -> bool {
        self.worker() == "main"
    }

    /// Returns whether it is the heading of a part.
    fn is_heading(&self) -> bool {
        self.text.ends_with(':')
    }
}

/// How a run differs from its transcript.
#[derive(Debug, Default)]
pub struct Difference {
    /// The line of the transcript, counted from 0.
    pub place: usize,
    /// The line above the first one that differs.
    above: Option<String>,
    missing: Vec<String>,
    extra: Vec<String>,
}

impl Difference {
    /// Adds what is between the first and the last line in which two groups differ.
    fn add(&mut self, expected: &[&Line], printed: &[&Line]) {
        let is_same = |(line, other): &(&&Line, &&Line)| line.allows(other);
        let same = expected.iter().zip(printed).take_while(is_same).count();
        let (missing, extra) = (&expected[same..], &printed[same..]);
        let below = missing.iter().rev().zip(extra.iter().rev());
        let below = below.take_while(is_same).count();
        if self.missing.is_empty() && self.extra.is_empty() {
            self.above = printed[..same].last().map(|line| line.text.clone());
        }
        let text = |line: &&Line| line.text.clone();
        let missing = &missing[..missing.len() - below];
        let extra = &extra[..extra.len() - below];
        let place = missing.first().map_or(self.place, |line| line.place);
        self.place = self.place.min(place);
        self.missing.extend(missing.iter().map(text));
        self.extra.extend(extra.iter().map(text));
    }
}

/// The lines that are missing begin with `-`, those that are extra with `+`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let mut lines: Vec<String> = self.above.iter().map(|line| format!("  {line}")).collect();
        for (mark, side) in [("-", &self.missing), ("+", &self.extra)] {
            lines.extend(side.iter().take(SHOWN).map(|line| format!("{mark} {line}")));
            if let Some(more) = side.len().checked_sub(SHOWN + 1) {
                lines.push(format!("{mark} ... and {} more lines", more + 1));
            }
        }
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests;

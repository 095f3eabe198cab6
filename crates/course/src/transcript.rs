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
use std::mem;

use regex_lite::{Regex, escape};

use crate::document::Code;
use crate::misuse::suggestion;
use crate::source::visible;

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

/// The worker that waits for all others.
const MAIN: &str = "main";

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
        let lines: Vec<Line> = (0..).zip(lines).map(Line::new).collect();
        if let Some(second) = lines.iter().find(|line| line.text.starts_with("$ ")) {
            return Err(format!("a second command, `{}`", second.text));
        }
        Ok(Self {
            command,
            order,
            lines,
        })
    }

    /// Compares a run with the transcript. Returns nothing if the run is one that it allows.
    pub fn compare(&self, printed: &[String]) -> Option<Difference> {
        let printed: Vec<&str> = printed.iter().map(|line| line.trim_end()).collect();
        let mut difference = Difference::default();
        let mut rest = printed.as_slice();
        let mut free = Vec::new();
        for line in &self.lines {
            if !self.ends_stage(&free, line) {
                free.push(line);
                continue;
            }
            let end = end_in(rest, &free, line);
            let (stage, after) = rest.split_at(end.unwrap_or(rest.len()));
            let (end, after) = after.split_at(usize::from(end.is_some()));
            self.compare_stage(&free, stage, &mut difference);
            difference.add(&[line], end);
            rest = after;
            free.clear();
        }
        self.compare_stage(&free, rest, &mut difference);
        (!difference.lines.is_empty()).then_some(difference)
    }

    /// Returns whether everything above a line comes before it, and everything below it after it:
    /// whether it is a heading, or a line of `main` that is below lines of others.
    fn ends_stage(&self, free: &[&Line], line: &Line) -> bool {
        let is_of_main = |line: &Line| worker(&line.text) == MAIN;
        let is_after_others = is_of_main(line) && !free.iter().all(|free| is_of_main(free));
        self.order != Order::AsWritten && (is_after_others || is_heading(&line.text))
    }

    /// Compares lines of free order: each of their groups must have a partner.
    fn compare_stage(&self, free: &[&Line], printed: &[&str], difference: &mut Difference) {
        let mut expected = groups(free, self.order, |line| &line.text);
        // Literal lines find their partner first, so that a pattern is what is left without one.
        expected.sort_by_key(|(name, _)| Line::new((0, name)).pattern.is_some());
        let mut actual = groups(printed, self.order, |line| line);
        let partners = pair(expected.len(), actual.len(), |one, other| {
            let (lines, printed) = (&expected[one].1, &actual[other].1);
            let mut pairs = lines.iter().zip(printed);
            lines.len() == printed.len() && pairs.all(|(line, text)| line.allows(text))
        });
        for place in (0..actual.len()).rev() {
            if partners.contains(&Some(place)) {
                actual.remove(place);
            }
        }
        let all = expected.iter().zip(&partners);
        for ((name, lines), _) in all.filter(|(_, partner)| partner.is_none()) {
            // Shown beside the lines of the worker with its name, or else alone.
            let name = Line::new((0, name));
            let same = actual.iter().position(|(other, _)| name.allows(other));
            let theirs = same.map_or(Vec::new(), |place| actual.remove(place).1);
            difference.add(lines, &theirs);
        }
        for (_, lines) in actual {
            difference.add(&[], &lines);
        }
    }
}

/// Returns which of the printed lines ends a stage: its heading, or the line of `main` that as many of
/// `main` precede as there are in the stage.
fn end_in(printed: &[&str], free: &[&Line], end: &Line) -> Option<usize> {
    if is_heading(&end.text) {
        return printed.iter().position(|line| end.allows(line));
    }
    let before = free.iter().filter(|line| worker(&line.text) == MAIN);
    let mut of_main = (0..printed.len()).filter(|place| worker(printed[*place]) == MAIN);
    of_main.nth(before.count())
}

/// Returns who says a line: its first word, without a colon at its end.
fn worker(line: &str) -> &str {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.strip_suffix(':').unwrap_or(word)
}

/// Returns whether a line is the heading of a part.
fn is_heading(line: &str) -> bool {
    line.ends_with(':')
}

/// Puts lines whose order is certain into one group, which has the name of their worker.
fn groups<'l, L: Copy>(
    lines: &[L],
    order: Order,
    text: impl Fn(L) -> &'l str,
) -> Vec<(&'l str, Vec<L>)> {
    let mut groups: Vec<(&str, Vec<L>)> = Vec::new();
    for line in lines {
        let name = match order {
            Order::AsWritten => "",
            Order::Any => text(*line),
            Order::PerWorker => worker(text(*line)),
        };
        let mut others = groups.iter_mut();
        match others.find(|(other, _)| order != Order::Any && *other == name) {
            Some((_, group)) => group.push(*line),
            None => groups.push((name, vec![*line])),
        }
    }
    groups
}

/// Finds a partner for each of `ones` among `others`, so that as many as possible have one, and
/// earlier ones first. These are the augmenting paths of Berge and Kuhn.
fn pair(ones: usize, others: usize, fits: impl Fn(usize, usize) -> bool) -> Vec<Option<usize>> {
    let row = |one| (0..others).filter(|other| fits(one, *other)).collect();
    let possible: Vec<Vec<usize>> = (0..ones).map(row).collect();
    let mut taken_by = vec![None; others];
    for one in 0..ones {
        find_partner(one, &possible, &mut taken_by, &mut vec![false; others]);
    }
    let partner = |one| taken_by.iter().position(|taken| *taken == Some(one));
    (0..ones).map(partner).collect()
}

/// Finds a partner for `one`; those that have one may have to find another.
fn find_partner(
    one: usize,
    possible: &[Vec<usize>],
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    possible[one].iter().any(|&other| {
        let is_found = !mem::replace(&mut tried[other], true)
            && taken_by[other].is_none_or(|rival| find_partner(rival, possible, taken_by, tried));
        if is_found {
            taken_by[other] = Some(one);
        }
        is_found
    })
}

/// A line of a transcript, and which lines of a run it allows.
#[derive(Debug)]
struct Line {
    /// Its place in the transcript, counted from 0.
    place: usize,
    text: String,
    /// What the line allows, if it allows more than itself.
    pattern: Option<Regex>,
}

impl Line {
    fn new((place, text): (usize, &str)) -> Self {
        let text = text.trim_end();
        let literal = escape(text);
        let meaning = |line: String, (name, meaning)| line.replace(&escape(name), meaning);
        let expression = PATTERNS.into_iter().fold(literal.clone(), meaning);
        // It cannot be invalid; if it were, the line would mean itself.
        let pattern = (expression != literal).then(|| Regex::new(&format!("^{expression}$")).ok());
        Self {
            place,
            text: text.to_owned(),
            pattern: pattern.flatten(),
        }
    }

    /// Returns whether a run may print this line here.
    fn allows(&self, printed: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(printed),
            None => self.text == printed,
        }
    }
}

/// So many lines of a difference are shown.
const SHOWN: usize = 16;

/// How a run differs from its transcript.
#[derive(Debug, Default)]
pub struct Difference {
    /// What the reader sees: lines that begin with `-`, with `+` or with a space.
    lines: Vec<String>,
    /// The first line of the transcript that is concerned.
    place: Option<usize>,
    /// The last line of the transcript that was compared.
    last: usize,
}

impl Difference {
    /// Returns the place in the transcript, counted from 0, at which the difference is.
    pub fn place(&self) -> usize {
        self.place.unwrap_or(0)
    }

    /// Adds what is between the first and the last line in which two groups differ, and the line above.
    fn add(&mut self, expected: &[&Line], printed: &[&str]) {
        let is_same = |(line, text): &(&&Line, &&str)| line.allows(text);
        let same = expected.iter().zip(printed).take_while(is_same).count();
        let (missing, extra) = (&expected[same..], &printed[same..]);
        let below = missing.iter().rev().zip(extra.iter().rev());
        let below = below.take_while(is_same).count();
        let missing = &missing[..missing.len() - below];
        let extra = &extra[..extra.len() - below];
        self.last = expected.last().map_or(self.last, |line| line.place);
        if missing.is_empty() && extra.is_empty() {
            return;
        }
        let first = missing.first().map_or(self.last, |line| line.place);
        self.place = Some(self.place.map_or(first, |place| place.min(first)));
        if same > 0 {
            self.lines.push(format!("  {}", printed[same - 1]));
        }
        self.add_side("-", missing.iter().map(|line| line.text.as_str()));
        self.add_side("+", extra.iter().copied());
    }

    /// Adds lines of one side, without those that would push the other side off the screen.
    fn add_side<'l>(&mut self, mark: &str, lines: impl ExactSizeIterator<Item = &'l str>) {
        let more = lines.len().saturating_sub(SHOWN / 4);
        let shown = lines.take(SHOWN / 4);
        self.lines
            .extend(shown.map(|line| format!("{mark} {line}")));
        if more > 0 {
            self.lines.push(format!("{mark} ... and {more} more lines"));
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<&str> = self.lines.iter().map(|line| line.trim_end()).collect();
        if lines.len() > SHOWN {
            lines.truncate(SHOWN);
            lines.push("  ...");
        }
        f.write_str(&visible(&lines.join("\n")))
    }
}

#[cfg(test)]
mod tests;

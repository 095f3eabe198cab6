//! The transcripts in the READMEs, and which runs match them. CONTRIBUTING.md says how to write one.
//!
//! With `any-order` and `per-worker`, some lines divide a run into stages: everything above such a line
//! comes before it, and everything below comes after it. One kind is the heading of a part, a line that
//! ends with a colon (`support::part` prints it). The other is a line of `main` below lines of other
//! workers, for instance after a `join`; lines of `main` above those of the others can come anywhere.
//!
//! Within a stage, the lines form groups whose order is fixed: all lines, each line, or the lines of each
//! worker. A run matches if each group of the transcript can be matched with one of the run.
//!
//! The package `snapbox` isn't enough: it knows no workers, and it matches unordered lines greedily, so
//! that a line `[..]` takes what a literal line needs, and a correct run fails.

use std::fmt;
use std::slice;

use regex_lite::{Regex, escape};

use crate::document::Code;
use crate::misuse::suggestion;

/// Patterns for what differs from run to run.
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

/// The expected output of a command.
#[derive(Debug)]
pub struct Transcript {
    pub command: String,
    order: Order,
    lines: Vec<Line>,
}

/// How far the order of the lines is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    AsWritten,
    Any,
    PerWorker,
}

/// The words that can follow `console`.
const ORDERS: [(&str, Order); 2] = [("any-order", Order::Any), ("per-worker", Order::PerWorker)];

impl Transcript {
    /// Parses a `console` block. The error says what is wrong with it.
    pub fn of(code: &Code) -> Result<Self, String> {
        let mut order = Order::AsWritten;
        for tag in code.tags().skip(1) {
            let Some((_, known)) = ORDERS.iter().find(|(name, _)| *name == tag) else {
                let near = suggestion(tag, ORDERS.map(|(name, _)| name));
                return Err(format!("`{tag}` is not an order of a transcript{near}"));
            };
            order = *known;
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

    /// Compares a run with the transcript. The error is the first difference.
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

    /// Returns whether a line ends a stage: whether it is a heading, or a line of `main` below lines of
    /// other workers. `free` are the lines of the stage so far.
    fn ends_stage(&self, free: &[Line], line: &Line) -> bool {
        let is_after_others = line.is_of_main() && !free.iter().all(Line::is_of_main);
        self.order != Order::AsWritten && (is_after_others || line.is_heading())
    }

    /// Compares a stage: each of its groups must have a match. `end` is the number of the next line.
    fn compare_stage(&self, free: &[Line], printed: &[Line], end: usize) -> Result<(), Difference> {
        let mut expected = self.groups(free);
        // Literal lines are matched first, so that a pattern is what remains unmatched.
        expected.sort_by_key(|lines| lines[0].pattern.is_some());
        let actual = self.groups(printed);
        let fits = |one: usize, other: usize| {
            let (lines, printed) = (&expected[one], &actual[other]);
            let mut pairs = lines.iter().zip(printed);
            lines.len() == printed.len() && pairs.all(|(line, other)| line.matches(other))
        };
        let mut matched_by = vec![None; actual.len()];
        for one in 0..expected.len() {
            find_match(one, &fits, &mut matched_by, &mut vec![false; actual.len()]);
        }
        let all = actual.iter().zip(&matched_by);
        let extra = all.filter(|(_, one)| one.is_none());
        let mut extra: Vec<_> = extra.map(|(lines, _)| lines.as_slice()).collect();
        let mut difference = Difference {
            place: end.saturating_sub(1),
            ..Difference::default()
        };
        for (one, lines) in expected.iter().enumerate() {
            if !matched_by.contains(&Some(one)) {
                // Compared with lines of the same worker, if possible.
                let worker = Line::new((0, lines[0].worker()));
                let same = extra.iter().position(|theirs| {
                    self.order == Order::AsWritten
                        || worker.matches(&Line::printed(theirs[0].worker()))
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

    /// Groups the lines whose order is fixed.
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

/// Returns the place of the printed line that ends a stage: the heading, or the line of `main` that follows
/// as many lines of `main` as the stage has.
fn end_in(printed: &[Line], free: &[Line], end: &Line) -> Option<usize> {
    if end.is_heading() {
        return printed.iter().position(|line| end.matches(line));
    }
    let before = free.iter().filter(|line| line.is_of_main());
    let mut of_main = (0..printed.len()).filter(|place| printed[*place].is_of_main());
    of_main.nth(before.count())
}

/// Finds a match for `one`, and new matches for others if necessary. `matched_by` has the match of each of
/// the other side. This is bipartite matching by augmenting paths.
fn find_match(
    one: usize,
    fits: &impl Fn(usize, usize) -> bool,
    matched_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    (0..tried.len()).any(|other| {
        let is_new = !tried[other] && fits(one, other);
        tried[other] |= is_new;
        let is_found = is_new
            && matched_by[other].is_none_or(|rival| find_match(rival, fits, matched_by, tried));
        if is_found {
            matched_by[other] = Some(one);
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
    /// What a line of a transcript matches, if it contains a pattern.
    pattern: Option<Regex>,
}

impl Line {
    fn new((place, text): (usize, &str)) -> Self {
        let literal = escape(text.trim_end());
        let meaning = |line: String, (name, meaning)| line.replace(&escape(name), meaning);
        let expression = PATTERNS.into_iter().fold(literal.clone(), meaning);
        // The expression is valid; if it weren't, the line would match only itself.
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

    /// Returns whether a printed line matches this one.
    fn matches(&self, printed: &Line) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(&printed.text),
            None => self.text == printed.text,
        }
    }

    /// Returns the worker that prints the line: the first word, without a colon at its end.
    fn worker(&self) -> &str {
        let word = self.text.split_whitespace().next().unwrap_or_default();
        word.strip_suffix(':').unwrap_or(word)
    }

    /// Returns whether the line is printed by `main`, which waits for the other workers.
    fn is_of_main(&self) -> bool {
        self.worker() == "main"
    }

    /// Returns whether the line is the heading of a part.
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
    /// Adds the lines from the first to the last difference of two groups.
    fn add(&mut self, expected: &[&Line], printed: &[&Line]) {
        let is_same = |(line, other): &(&&Line, &&Line)| line.matches(other);
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

/// Missing lines begin with `-`, extra lines with `+`.
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

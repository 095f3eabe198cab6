use regex_lite::{Captures, Regex, escape};

use course::document::{Block, Section};
use course::transcript::PATTERNS;

/// The patterns of a transcript that say nothing about how a run came out.
const MASKED: [&str; 2] = ["[PID]", "[TIME]"];

/// The lines of a step's transcript that show where in the output ids and times are.
pub(crate) struct Masks {
    lines: Vec<(Regex, Vec<&'static str>)>,
}

impl Masks {
    /// Finds them in the section of a step.
    pub(crate) fn of(section: &Section) -> Self {
        let blocks = section.blocks.iter().filter_map(|block| match block {
            Block::Code(code) if code.language() == "console" => Some(code.text.lines()),
            _ => None,
        });
        let lines = blocks.flatten().filter_map(mask).collect();
        Self { lines }
    }

    /// Writes the name of what it is in place of each id and time of a line.
    pub(crate) fn apply(&self, line: &str) -> String {
        for (pattern, names) in &self.lines {
            if let Some(found) = pattern.captures(line) {
                return masked(line, &found, names);
            }
        }
        line.to_owned()
    }
}

/// Understands a line of a transcript, if it has an id or a time.
fn mask(line: &str) -> Option<(Regex, Vec<&'static str>)> {
    let mut names = Vec::new();
    let mut expression = "^".to_owned();
    let mut rest = line.trim_end();
    while let Some((place, (name, meaning))) = next_free(rest) {
        expression.extend([&escape(&rest[..place]), "(", meaning, ")"]);
        names.push(name);
        rest = &rest[place + name.len()..];
    }
    if !names.iter().any(|name| MASKED.contains(name)) {
        return None;
    }
    expression.extend([&escape(rest), "$"]);
    Some((Regex::new(&expression).ok()?, names))
}

fn next_free(text: &str) -> Option<(usize, (&'static str, &'static str))> {
    let places = PATTERNS
        .iter()
        .filter_map(|free| Some((text.find(free.0)?, *free)));
    places.min_by_key(|(place, _)| *place)
}

fn masked(line: &str, found: &Captures, names: &[&str]) -> String {
    let mut masked = line.to_owned();
    // From the end, so that the places before stay what they are.
    for (index, name) in names.iter().enumerate().rev() {
        if let Some(part) = found.get(index + 1)
            && MASKED.contains(name)
        {
            masked.replace_range(part.range(), name);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::Masks;
    use course::document::Document;

    fn masks(transcript: &str) -> Masks {
        let script = format!("# T\n\n## map: it\n\n```console\n$ run\n{transcript}```\n");
        Masks::of(&Document::parse(&script).sections[0])
    }

    #[test]
    fn ids_and_times_are_taken_out_and_nothing_else() {
        let masks = masks("child [PID] of [PID] did [N] jobs in [TIME], [..]\nplain [N]\n");
        assert_eq!(
            masks.apply("child 17 of 4 did 3 jobs in 2.05 s, as 17 said"),
            "child [PID] of [PID] did 3 jobs in [TIME], as 17 said"
        );
        assert_eq!(masks.apply("plain 17"), "plain 17");
        assert_eq!(masks.apply("something else 17"), "something else 17");
    }

    #[test]
    fn every_unit_of_time_is_known() {
        let masks = masks("took [TIME]\n");
        for time in ["2.05 s", "13.4 ms", "850 µs", "0 ns"] {
            assert_eq!(masks.apply(&format!("took {time}")), "took [TIME]");
        }
        assert_eq!(masks.apply("took 3 tries"), "took 3 tries");
    }

    #[test]
    fn a_line_that_fits_no_mask_stays() {
        assert_eq!(masks("").apply("pid 4711"), "pid 4711");
    }
}

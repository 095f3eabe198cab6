use regex_lite::{Regex, escape};

/// A line of a transcript, and which lines of a run it allows.
#[derive(Debug)]
pub(crate) struct Line {
    text: String,
    /// What the line allows, if it allows more than itself.
    pattern: Option<Regex>,
}

/// What may stand in a line for something that differs from run to run.
pub const PATTERNS: [(&str, &str); 4] = [
    // Anything.
    ("[..]", ".*"),
    // The id of a process or thread.
    ("[PID]", "[1-9][0-9]*"),
    // A number.
    ("[N]", r"-?[0-9]+(?:\.[0-9]+)?"),
    // A measured time, as `support::readable_time` writes it.
    ("[TIME]", r"[0-9]+(?:\.[0-9]+)? (?:s|ms|µs|ns)"),
];

/// A line that stands for any number of lines.
const GAP: &str = "...";

impl Line {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.trim_end();
        let expression = PATTERNS
            .iter()
            .fold(escape(text), |expression, (name, meaning)| {
                expression.replace(&escape(name), meaning)
            });
        // An expression that is not understood cannot come of this; the line would mean itself.
        let pattern = (expression != escape(text))
            .then(|| Regex::new(&format!("^{expression}$")).ok())
            .flatten();
        Self {
            text: text.to_owned(),
            pattern,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether this stands for any number of lines.
    pub(crate) fn is_gap(&self) -> bool {
        self.text == GAP
    }

    /// Tells whether this allows other lines than itself.
    pub(crate) fn is_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// Tells whether a run may print this line here.
    pub(crate) fn allows(&self, printed: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_match(printed),
            None => self.text == printed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, PATTERNS};
    use std::time::Duration;
    use support::readable_time;

    #[test]
    fn a_line_without_pattern_means_itself() {
        let line = Line::new("a+b (c) [0, 1] $x \\d");
        assert!(line.allows("a+b (c) [0, 1] $x \\d"));
        assert!(!line.allows("aab (c) [0, 1] $x \\d"));
        assert!(!line.allows("a+b (c) [0, 1] $x \\d "));
        assert!(!line.is_pattern());
    }

    #[test]
    fn every_pattern_is_understood() {
        for (name, _) in PATTERNS {
            let line = Line::new(&format!("a {name} b"));
            assert!(line.is_pattern(), "{name}");
            assert!(!line.allows(&format!("a {name} b")) || name == "[..]");
        }
    }

    #[test]
    fn anything_may_be_nothing_and_may_need_a_second_look() {
        let line = Line::new("a[..]e");
        assert!(line.allows("ae") && line.allows("a, then e, then e"));
        assert!(!line.allows("a, then e, then f"));
        assert!(Line::new("[..] and [..]").allows("x and y and z"));
    }

    #[test]
    fn a_number_is_whole_and_nothing_else() {
        let line = Line::new("short in [N] of 20 runs");
        for number in ["0", "17", "-3", "1.93"] {
            assert!(line.allows(&format!("short in {number} of 20 runs")));
        }
        for other in ["", "x", "1x", "1.", "1 7", "NaN"] {
            assert!(!line.allows(&format!("short in {other} of 20 runs")));
        }
        assert!(!line.allows("short in 17 of 21 runs"));
    }

    #[test]
    fn an_id_is_a_positive_whole_number() {
        let line = Line::new("pid [PID]");
        assert!(line.allows("pid 4711"));
        for other in ["0", "-4", "4.5", "07", ""] {
            assert!(!line.allows(&format!("pid {other}")), "{other}");
        }
    }

    #[test]
    fn every_time_that_is_written_for_readers_is_a_time() {
        let line = Line::new("in [TIME]");
        for nanoseconds in [
            0,
            17,
            999,
            1_000,
            13_420,
            999_950,
            2_054_000_000,
            700_000_000_000,
        ] {
            let time = readable_time(Duration::from_nanos(nanoseconds));
            assert!(line.allows(&format!("in {time}")), "{time}");
        }
        for other in ["2.05", "2.05 h", "s", "2,05 s", "-2 s", "2.05s", "2.05 s."] {
            assert!(!line.allows(&format!("in {other}")), "{other}");
        }
    }
}

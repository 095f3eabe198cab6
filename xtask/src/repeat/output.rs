use std::collections::HashSet;
use std::io;
use std::iter;

use regex_lite::{Regex, escape};

use super::histogram;
use crate::screen::Screen;
use course::document::Section;

/// How many outcomes are shown.
const SHOWN: usize = 3;

/// Shows how often a step printed each output, and the most frequent outputs.
pub(super) fn show(screen: &mut Screen, outputs: &[String], section: &Section) -> io::Result<()> {
    screen.paragraph(
        "Runs that print the same, apart from process ids and times, have the same outcome.",
    )?;
    let outputs = outputs.iter().map(|output| masked(section, output));
    let outputs: Vec<String> = outputs.collect();
    let outcomes = histogram::counts(iter::empty(), outputs.iter().map(String::as_str));
    let (shown, others) = outcomes.split_at(outcomes.len().min(SHOWN));
    let counts = (1..).zip(shown);
    let counts = counts.map(|(number, (_, count))| (format!("outcome {number}"), *count));
    let mut counts: Vec<(String, usize)> = counts.collect();
    if !others.is_empty() {
        let count = others.iter().map(|(_, count)| count).sum();
        counts.push((format!("{} others", others.len()), count));
    }
    histogram::show(screen, &histogram::rows(screen, &counts))?;

    let sorted = |(text, _): &(&str, usize)| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let different: HashSet<Vec<String>> = outcomes.iter().map(sorted).collect();
    if outcomes.len() > 1 && different.len() == 1 {
        screen.paragraph("Every run prints the same lines; only their order differs.")?;
    }
    for ((name, _), (text, _)) in counts.iter().zip(shown) {
        screen.line(&format!("{name}:"))?;
        text.lines().try_for_each(|line| screen.output(line))?;
        screen.blank()?;
    }
    Ok(())
}

/// Replaces process ids and times, which aren't part of the outcome. A process id is a number after a word
/// that comes before `[PID]` in the step's transcript.
fn masked(section: &Section, output: &str) -> String {
    let mut words = vec!["pid".to_owned()];
    for code in section.code().filter(|code| code.language() == "console") {
        let ids = code.text.match_indices("[PID]");
        let before = ids.filter_map(|(at, _)| code.text[..at].split_whitespace().next_back());
        words.extend(before.map(escape));
    }
    let id = format!(r"(?m)(^|\s)({}) [1-9][0-9]*\b", words.join("|"));
    let id = Regex::new(&id).expect("a valid expression");
    let time = Regex::new(r"\b[0-9]+(\.[0-9]+)? (s|ms|µs|ns)\b").expect("a valid expression");
    let output = id.replace_all(output, "$1$2 [PID]");
    time.replace_all(&output, "[TIME]").into_owned()
}

#[cfg(test)]
mod tests {
    use super::masked;
    use course::document::Document;

    #[test]
    fn process_ids_and_times_are_masked_and_nothing_else() {
        let transcript = "child [PID] of (pid [PID]) did [N] jobs in [TIME]\n";
        let readme = format!("# T\n\n## map: it\n\n```console\n$ run\n{transcript}```\n");
        let section = &Document::parse(&readme).sections[0];
        let masked = |output| masked(section, output);
        assert_eq!(
            masked("child 17 of (pid 4) did 3 jobs in 2.05 s\nchild 5 took 850 µs"),
            "child [PID] of (pid [PID]) did 3 jobs in [TIME]\nchild [PID] took [TIME]"
        );
        let certain = "grandchild 17 took 3 steps";
        assert_eq!(masked(certain), certain);
    }
}

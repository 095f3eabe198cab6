use std::collections::BTreeSet;
use std::io;
use std::iter;

use regex_lite::{Regex, escape};

use super::histogram;
use crate::screen::Screen;
use course::document::Section;

/// So many outcomes are shown, the most frequent ones.
const SHOWN: usize = 3;

/// Shows how often a step printed the same, and what that was most often.
pub(super) fn show(screen: &mut Screen, outputs: &[String], section: &Section) -> io::Result<()> {
    let masked = masks(section);
    let outputs: Vec<String> = outputs.iter().map(|output| masked(output)).collect();
    let outcomes = histogram::counts(iter::empty(), outputs.iter().map(String::as_str));
    let (shown, others) = outcomes.split_at(outcomes.len().min(SHOWN));
    let names: Vec<String> = (1..=shown.len()).map(|n| format!("outcome {n}")).collect();
    let other_names = format!("{} others", others.len());
    let named = names.iter().map(String::as_str).zip(shown);
    let mut counts: Vec<_> = named.clone().map(|(name, (_, n))| (name, *n)).collect();
    if !others.is_empty() {
        counts.push((&other_names, others.iter().map(|(_, count)| count).sum()));
    }
    histogram::show(screen, &histogram::rows(screen, &counts))?;

    let sorted = outcomes.iter().map(|(text, _)| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines
    });
    if outcomes.len() > 1 && sorted.collect::<BTreeSet<_>>().len() == 1 {
        screen.paragraph("The lines are the same in every run; only their order differs.")?;
    }
    for (name, (text, _)) in named {
        screen.line(&format!("{name}:"))?;
        text.lines().try_for_each(|line| screen.output(line))?;
        screen.blank()?;
    }
    Ok(())
}

/// Returns a function that replaces process ids and times, which say nothing about how a run of the
/// step came out. An id is a number after a word that stands before `[PID]` in the step's transcript.
fn masks(section: &Section) -> impl Fn(&str) -> String + use<> {
    let mut words = BTreeSet::from(["pid".to_owned()]);
    for code in section.code().filter(|code| code.language() == "console") {
        let ids = code.text.match_indices("[PID]");
        let before = ids.filter_map(|(at, _)| code.text[..at].split_whitespace().next_back());
        words.extend(before.map(escape));
    }
    let words: Vec<String> = words.into_iter().collect();
    let id = format!(r"(?m)(^|\s)({}) [1-9][0-9]*\b", words.join("|"));
    let id = Regex::new(&id).expect("escaped words make an expression");
    let time = Regex::new(r"\b[0-9]+(\.[0-9]+)? (s|ms|µs|ns)\b").expect("it is an expression");
    move |text| {
        let text = id.replace_all(text, "$1$2 [PID]");
        time.replace_all(&text, "[TIME]").into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::masks;
    use course::document::Document;

    #[test]
    fn process_ids_and_times_are_masked_and_nothing_else() {
        let transcript = "child [PID] of (pid [PID]) did [N] jobs in [TIME]\n";
        let readme = format!("# T\n\n## map: it\n\n```console\n$ run\n{transcript}```\n");
        let masked = masks(&Document::parse(&readme).sections[0]);
        assert_eq!(
            masked("child 17 of (pid 4) did 3 jobs in 2.05 s\nchild 5 took 850 µs"),
            "child [PID] of (pid [PID]) did 3 jobs in [TIME]\nchild [PID] took [TIME]"
        );
        let certain = "grandchild 17 took 3 steps";
        assert_eq!(masked(certain), certain);
    }
}

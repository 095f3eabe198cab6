use std::collections::BTreeSet;
use std::io;

use regex_lite::{Regex, escape};

use super::histogram;
use crate::screen::Screen;
use course::document::Section;

/// So many outcomes are shown, the most frequent ones.
const SHOWN: usize = 3;

/// Returns a function that replaces process ids and times, which say nothing about how a run of the
/// step came out. An id is a number after a word that stands before `[PID]` in the step's transcript.
pub(super) fn masks(section: &Section) -> impl Fn(&str) -> String + use<> {
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

/// Shows how often each outcome came, and what the step printed then.
pub(super) fn show(screen: &mut Screen, outcomes: &[(&str, usize)]) -> io::Result<()> {
    let (shown, others) = outcomes.split_at(outcomes.len().min(SHOWN));
    let mut names: Vec<String> = (1..=shown.len()).map(|n| format!("outcome {n}")).collect();
    names.push(format!("{} others", others.len()));
    let names = names.iter().map(String::as_str);
    let all_others = others.iter().map(|(_, count)| count).sum();
    let counts = shown.iter().map(|(_, count)| *count).chain([all_others]);
    let mut counts: Vec<(&str, usize)> = names.clone().zip(counts).collect();
    counts.retain(|(_, count)| *count > 0);
    histogram::show(screen, &counts, &[])?;

    let same_lines = outcomes
        .iter()
        .all(|(text, _)| sorted(text) == sorted(outcomes[0].0));
    if outcomes.len() > 1 && same_lines {
        screen.paragraph("The lines are the same in every run; only their order differs.")?;
    }
    for (name, (text, _)) in names.zip(shown) {
        screen.line(&format!("{name}:"))?;
        text.lines().try_for_each(|line| screen.output(line))?;
        screen.blank()?;
    }
    Ok(())
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
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

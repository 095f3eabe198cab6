//! The findings as a table, on the terminal and in Markdown.

use std::fmt::Write;
use std::io;

use pulldown_cmark::Alignment::{Left, Right};

use crate::bench::finding::{Finding, LEGEND, amount};
use crate::bench::machine::Machine;
use crate::bench::rows::Shown;
use crate::screen::Screen;
use crate::table;

/// Narrower than any terminal that is in use.
const WIDTH: usize = 78;

/// The title of each side, the number of its rounds if they are fewer than all, and its median,
/// spread, ratio, what is asked for, and the verdict.
fn cells(finding: &Finding, cores: usize, rounds: usize) -> impl Iterator<Item = [String; 6]> {
    finding.sides.iter().map(move |measured| {
        let shown = finding.row.shown;
        let words = |nanoseconds| amount(nanoseconds, shown);
        let missing = || match measured.failure {
            None => "not there".to_owned(),
            Some(_) => "failed".to_owned(),
        };
        let median = measured.median().map_or_else(missing, words);
        let spread = measured.spread().map_or(String::new(), |(least, most)| {
            spread(words(least), words(most), shown)
        });
        let (ratio, goal, verdict) = match finding.comparison(measured, cores) {
            None => (String::new(), String::new(), String::new()),
            Some(it) => (it.ratio_words(), it.goal_words(), it.verdict().to_owned()),
        };
        let title = match measured.side.rounds(rounds) {
            fewer if fewer < rounds => format!("{}, {fewer} rounds", measured.side.title),
            _ => measured.side.title.to_owned(),
        };
        [title, median, spread, ratio, goal, verdict]
    })
}

/// Writes down the amounts of the least and the most time, with one unit where it is the same.
fn spread(shortest: String, longest: String, shown: Shown) -> String {
    let (least, most) = match shown {
        Shown::Time => (shortest, longest),
        // What takes the longest has the lowest rate.
        Shown::Rate => (longest, shortest),
    };
    match (least.split_once(' '), most.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} to {most}"),
        _ => format!("{least} to {most}"),
    }
}

const HEADINGS: [&str; 6] = ["", "median", "least to most", "ratio", "asked", ""];

/// Says in how many rounds it was measured, and on what.
fn circumstances(findings: &[Finding], machine: &Machine, rounds: usize) -> String {
    let all = match rounds {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let mut sides = findings.iter().flat_map(|finding| &finding.sides);
    let or_fewer = if sides.any(|measured| measured.side.rounds(rounds) < rounds) {
        ", or in the number that stands beside the name,"
    } else {
        ""
    };
    format!("Measured in {all}{or_fewer} on {}.", machine.words())
}

/// Shows the findings.
pub(crate) fn show(
    screen: &mut Screen,
    findings: &[Finding],
    machine: &Machine,
    rounds: usize,
) -> io::Result<()> {
    // All in one table, so that the columns are the same for each row.
    let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
    for finding in findings {
        rows.extend(cells(finding, machine.cores, rounds).map(|cells| cells.to_vec()));
    }
    let alignments = [Left, Right, Right, Right, Right, Left];
    let mut lines = table::lines(&rows, &alignments, WIDTH).into_iter();
    for heading in lines.by_ref().take(2) {
        screen.line(&format!("  {heading}"))?;
    }
    for finding in findings {
        screen.blank()?;
        let title = format!("{}: {}", finding.row.name, finding.row.title);
        screen.subheading(&title)?;
        for line in lines.by_ref().take(finding.sides.len()) {
            screen.line(&format!("  {line}"))?;
        }
    }
    screen.blank()?;
    screen.prose(LEGEND)?;
    screen.prose(&circumstances(findings, machine, rounds))
}

/// Writes the findings in Markdown.
pub(crate) fn markdown(findings: &[Finding], machine: &Machine, rounds: usize) -> String {
    let mut text = String::from("| | median | least to most | ratio | asked | |\n");
    text.push_str("|---|---:|---:|---:|---:|---|\n");
    for finding in findings {
        let _ = writeln!(text, "| **{}** | | | | | |", finding.row.title);
        for cells in cells(finding, machine.cores, rounds) {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    let circumstances = circumstances(findings, machine, rounds);
    let _ = write!(text, "\n{LEGEND} {circumstances}\n");
    if let Some(warning) = machine.warning() {
        let _ = write!(text, "\n{warning}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{markdown, show, spread};
    use crate::bench::data::json;
    use crate::bench::finding::Finding;
    use crate::bench::machine::Machine;
    use crate::bench::rows::{ROWS, Shown};
    use crate::look::Look;
    use crate::screen::Screen;

    fn findings() -> Vec<Finding> {
        let mut findings: Vec<Finding> = ROWS.iter().map(Finding::new).collect();
        for (index, measured) in findings.iter_mut().flat_map(|it| &mut it.sides).enumerate() {
            // As long as amounts can become.
            let nanoseconds = 10_f64.powi(i32::try_from(index % 10).unwrap()) * 1.333;
            measured.nanoseconds = vec![nanoseconds, nanoseconds * 4.0];
        }
        findings[0].sides[1].nanoseconds.clear();
        findings[1].sides[2].nanoseconds.clear();
        findings[1].sides[2].failure = Some("it ended with 1".to_owned());
        findings
    }

    fn machine() -> Machine {
        Machine {
            cores: 2,
            processor: "A processor".to_owned(),
            system: "Linux".to_owned(),
            rust: "rustc 1.95.0".to_owned(),
            python: "Python 3.11.7".to_owned(),
            date: "2026-01-31".to_owned(),
            load: String::new(),
            busy: None,
        }
    }

    #[test]
    fn the_table_fits_in_80_columns_and_says_what_is_missing() {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, Look::Plain, 80);
        show(&mut screen, &findings(), &machine(), 7).unwrap();
        drop(screen);
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let line_of = |title: &str| text.lines().find(|line| line.contains(title)).unwrap();
        assert!(line_of("process::Command").ends_with("not there"));
        assert!(line_of("bare ipc-channel").ends_with("failed"));
        assert!(line_of("the lesson").starts_with("  the lesson, 5 rounds  "));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let circumstances =
            "Measured in 7 rounds, or in the number that stands beside the name, on 2 cores, A";
        assert!(words.contains(circumstances), "{text}");
        for row in ROWS {
            assert!(text.contains(&format!("\n{}: {}\n", row.name, row.title)));
        }
    }

    #[test]
    fn a_spread_goes_from_the_least_to_the_most_in_one_unit_where_it_can() {
        let words = |least: &str, most: &str, shown| spread(least.into(), most.into(), shown);
        assert_eq!(words("19.0 ns", "21.0 ns", Shown::Time), "19.0 to 21.0 ns");
        assert_eq!(words("900 ns", "1.20 µs", Shown::Time), "900 ns to 1.20 µs");
        assert_eq!(
            words("7.00 M/s", "5.00 M/s", Shown::Rate),
            "5.00 to 7.00 M/s"
        );
        assert_eq!(
            words("1.10 M/s", "900 k/s", Shown::Rate),
            "900 k/s to 1.10 M/s"
        );
    }

    #[test]
    fn each_line_of_the_markdown_table_has_the_same_columns() {
        let text = markdown(&findings(), &machine(), 7);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
        let sides: usize = ROWS.iter().map(|row| row.sides.len()).sum();
        assert_eq!(lines.len(), 2 + ROWS.len() + sides);
        for line in lines {
            assert_eq!(line.matches('|').count(), 7, "{line}");
        }
    }

    #[test]
    fn sides_of_fewer_rounds_say_so_and_no_others_do() {
        let all = findings();
        let text = markdown(&all, &machine(), 7);
        assert!(text.contains("\n| Python, 2 rounds | "), "{text}");
        assert_eq!(text.matches("| one thread, 5 rounds |").count(), 1);
        assert_eq!(text.matches(" rounds |").count(), 4);
        assert!(text.contains("Measured in 7 rounds, or in the number that stands beside"));
        let data = json(&all, &machine(), 7);
        assert_eq!(data.matches("\"rounds\": 2,").count(), 1, "{data}");
        assert_eq!(data.matches("\"rounds\": 5,").count(), 3);
        for (findings, rounds, words) in [
            (&all[..1], 7, "Measured in 7 rounds on 2 cores"),
            (&all, 1, "Measured in one round on 2 cores"),
        ] {
            let text = markdown(findings, &machine(), rounds);
            assert!(text.contains(words), "{text}");
            assert!(!text.contains(" rounds |"), "{text}");
        }
    }
}

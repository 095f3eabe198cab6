mod chart;
mod data;
mod finding;
mod instruments;
mod machine;
mod measuring;
mod place;
mod report;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::bench::finding::Finding;
use crate::bench::instruments::Instruments;
use crate::bench::machine::Machine;
use crate::bench::rows::{ROWS, Row, Side};
use crate::course::Course;
use crate::misuse::{Misuse, suggestion};
use crate::screen::Screen;
use crate::task;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask bench [ROW]... [OPTIONS]

Measures the crate `multiprocess`, Python's `multiprocessing` and what lies
below both, in turns: in each round every row, and in each row every side. It
builds for release first, and then takes about three minutes. Shows a table,
and writes bench.md, bench.json (every measurement) and bench.svg (a picture).

A row is given by its name; without one, all are measured. The rows:
  spawn  pipe  pipe-paused  queue  queue-4-2  pool  pool-single  pool-work
  lock  value  semaphore  lock-new  array-read  array-write
  factorial  factorial-cores

Options:
  --quick       one round instead of seven
  --output DIR  the folder for the files, instead of target/bench
  --readme      also put the table and the picture into the README of the
                project: only of all rows and rounds, on a machine that has
                Python and `cc` and does nothing else, before and meanwhile
  --plain       plain text without colour, as when the output is no terminal

Where `python3` or the C compiler `cc` is missing, the lines that need it are
empty. The exit status is 1 if a measurement failed, or the README was to have
the table and does not. It is 0 if a row is short of what is asked: that
depends on the machine, and on what else runs on it.
";

const ROUNDS: usize = 7;

/// What the command line asks for.
struct Wish {
    rows: Vec<&'static Row>,
    rounds: usize,
    output: Option<PathBuf>,
    readme: bool,
    plain: bool,
}

/// The task `bench`: measures, writes down what came of it, and shows it.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let wish = wish(arguments)?;
    let course = Course::here()?;
    let root = &course.root;
    if wish.readme {
        place::look(root)?;
    }
    let output = wish.output;
    let folder = output.unwrap_or_else(|| course.target_folder().join("bench"));
    fs::create_dir_all(&folder).with_context(|| cannot_write(&folder))?;
    let mut screen = Screen::stdout(wish.plain);
    let instruments = Instruments::prepare(&mut screen, root, &wish.rows)?;
    let mut machine = Machine::here();
    if wish.readme {
        refuse_unless_fit(&instruments.missing, &machine)?;
    }
    for missing in &instruments.missing {
        screen.remark(missing)?;
    }
    let warned = machine.warning();
    if let Some(warning) = &warned {
        screen.failure(warning)?;
    }
    let command = |row: &Row, side: &Side| instruments.command(row, side);
    let look = || machine.look_again();
    let findings = measuring::measure(&mut screen, &wish.rows, wish.rounds, command, look)?;

    // First of all what took minutes is kept: whoever reads what is shown may go away.
    let table = report::markdown(&findings, &machine, wish.rounds);
    let picture = chart::svg(&findings, &machine);
    let data = data::json(&findings, &machine, wish.rounds);
    let files = [
        ("bench.md", &table),
        ("bench.json", &data),
        ("bench.svg", &picture),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| cannot_write(&path))?;
    }
    let failures = failures(&findings);
    let reason = reason_against(&failures, &instruments.missing, &machine);
    let stays = reason.filter(|_| wish.readme);
    if wish.readme && stays.is_none() {
        place::put(root, &table, &picture)?;
    }

    let mut tell = || {
        report::show(&mut screen, &findings, &machine, wish.rounds)?;
        if let Some(warning) = machine.warning().filter(|it| warned.as_ref() != Some(it)) {
            screen.failure(&warning)?;
        }
        screen.line(&format!(
            "Written to {}: bench.md, bench.json, bench.svg.",
            folder.display()
        ))?;
        for failure in &failures {
            screen.failure(failure)?;
        }
        match &stays {
            Some(reason) => screen.failure(&format!("The README stays as it is. {reason}"))?,
            None if wish.readme => screen.line("The README has the new table.")?,
            None => {}
        }
        tell_verdict(&mut screen, &findings, machine.cores)
    };
    task::verdict(tell(), failures.is_empty() && stays.is_none())
}

/// Refuses to measure for the README where its figures would mislead.
fn refuse_unless_fit(missing: &[String], machine: &Machine) -> anyhow::Result<()> {
    if let Some(reason) = reason_against(&[], missing, machine) {
        bail!("the README stays as it is, and nothing was measured. {reason}");
    }
    Ok(())
}

/// Says why the README is not to have the figures, if anything speaks against it.
fn reason_against(failures: &[String], missing: &[String], machine: &Machine) -> Option<String> {
    let failed = (!failures.is_empty()).then(|| "Not all was measured.".to_owned());
    let reasons = failed.into_iter().chain(missing.iter().cloned());
    let reasons: Vec<String> = reasons.chain(machine.warning()).collect();
    (!reasons.is_empty()).then(|| reasons.join(" "))
}

fn wish(mut arguments: Parser) -> anyhow::Result<Wish> {
    let mut wish = Wish {
        rows: Vec::new(),
        rounds: ROUNDS,
        output: None,
        readme: false,
        plain: false,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => wish.rounds = 1,
            Arg::Long("output") => wish.output = Some(arguments.value()?.into()),
            Arg::Long("readme") => wish.readme = true,
            Arg::Long("plain") => wish.plain = true,
            Arg::Value(name) => {
                let row = find(&name.string()?)?;
                if wish.rows.iter().all(|chosen| chosen.name != row.name) {
                    wish.rows.push(row);
                }
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if wish.readme && !wish.rows.is_empty() {
        let message = "--readme is for the whole table: do not name rows";
        return Err(Misuse(message.to_owned()).into());
    }
    if wish.readme && wish.rounds < ROUNDS {
        let message = "--readme is for all rounds: leave --quick out";
        return Err(Misuse(message.to_owned()).into());
    }
    if wish.rows.is_empty() {
        wish.rows = ROWS.iter().collect();
    }
    Ok(wish)
}

fn find(name: &str) -> Result<&'static Row, Misuse> {
    ROWS.iter().find(|row| row.name == name).ok_or_else(|| {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let suggestion = suggestion(name, names.iter().copied());
        let names = names.join(", ");
        Misuse(format!(
            "there is no row `{name}`{suggestion}\nThe rows are {names}"
        ))
    })
}

fn cannot_write(path: &Path) -> String {
    format!("{} cannot be written", path.display())
}

/// Says what could not be measured, and why.
fn failures(findings: &[Finding]) -> Vec<String> {
    let mut failures = Vec::new();
    for finding in findings {
        for measured in &finding.sides {
            if let Some(reason) = &measured.failure {
                let (row, side) = (finding.row.name, measured.side.title);
                failures.push(format!("{row}, {side}: {reason}"));
            }
        }
    }
    failures
}

fn tell_verdict(screen: &mut Screen, findings: &[Finding], cores: usize) -> anyhow::Result<()> {
    let mut holding = 0;
    let mut short = Vec::new();
    for finding in findings {
        for measured in &finding.sides {
            match finding
                .comparison(measured, cores)
                .and_then(|it| it.holds())
            {
                None => {}
                Some(true) => holding += 1,
                Some(false) => {
                    short.push(format!("{} ({})", finding.row.name, measured.side.title));
                }
            }
        }
    }
    let all = holding + short.len();
    let line = match short.len() {
        _ if all == 0 => "Nothing of what was measured has anything asked of it.".to_owned(),
        0 => format!("All {all} comparisons are as is asked."),
        count => format!(
            "{count} of {all} comparisons are short: {}.",
            short.join(", ")
        ),
    };
    screen.line(&line)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{USAGE, find, reason_against, refuse_unless_fit};
    use crate::bench::machine::Machine;
    use crate::bench::rows::ROWS;

    #[test]
    fn figures_that_would_mislead_do_not_come_into_the_readme() {
        let mut machine = Machine::here();
        machine.busy = Some(0.0);
        refuse_unless_fit(&[], &machine).unwrap();
        let missing = ["There is no `python3`.".to_owned()];
        let error = refuse_unless_fit(&missing, &machine).unwrap_err();
        assert!(error.to_string().contains("no `python3`"), "{error}");
        let failures = ["lock, Python: it ended with 1".to_owned()];
        let reason = reason_against(&failures, &[], &machine).unwrap();
        assert_eq!(reason, "Not all was measured.");
        assert_eq!(reason_against(&[], &[], &machine), None);
        // It was quiet at first, and a load came while it was measured.
        machine.note(Some(0.5));
        let reason = reason_against(&[], &[], &machine).unwrap();
        assert!(reason.contains("used up to 50 %"), "{reason}");
        let error = refuse_unless_fit(&[], &machine).unwrap_err();
        assert!(error.to_string().contains(&reason), "{error}");
    }

    #[test]
    fn the_help_names_each_row() {
        let words: Vec<&str> = USAGE.split_whitespace().collect();
        for row in ROWS {
            assert!(words.contains(&row.name), "{}", row.name);
        }
    }

    #[test]
    fn an_unknown_row_is_refused_with_the_nearest() {
        let error = find("quue").unwrap_err().to_string();
        assert!(
            error.contains("no row `quue`; did you mean `queue`?"),
            "{error}"
        );
    }
}

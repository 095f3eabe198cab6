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

use anyhow::{Context, ensure};
use lexopt::{Arg, Parser, ValueExt};

use crate::bench::finding::Finding;
use crate::bench::instruments::Instruments;
use crate::bench::machine::Machine;
use crate::bench::rows::{ROWS, Row};
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
                Python and `cc` and does nothing else
  --plain       plain text without colour, as when the output is no terminal

Where `python3` or the C compiler `cc` is missing, the lines that need it are
empty. The exit status is 1 if a measurement failed, or the README could not be
written. It is 0 if a row is short of what is asked: that depends on the
machine, and on what else runs on it.
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
    let machine = Machine::here();
    if wish.readme {
        refuse_unless_fit(&instruments.missing, &machine)?;
    }
    for missing in &instruments.missing {
        screen.remark(missing)?;
    }
    if let Some(warning) = machine.warning() {
        screen.failure(&warning)?;
    }
    let findings = measuring::measure(&mut screen, &instruments, &wish.rows, wish.rounds)?;

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
    if wish.readme && failures.is_empty() {
        place::put(root, &table, &picture)?;
    }

    let mut tell = || {
        report::show(&mut screen, &findings, &machine)?;
        screen.line(&format!(
            "Written to {}: bench.md, bench.json, bench.svg.",
            folder.display()
        ))?;
        for failure in &failures {
            screen.failure(failure)?;
        }
        match (wish.readme, failures.is_empty()) {
            (true, true) => screen.line("The README has the new table.")?,
            (true, false) => screen.line("The README stays as it is: not all was measured.")?,
            (false, _) => {}
        }
        tell_verdict(&mut screen, &findings, machine.cores)
    };
    task::verdict(tell(), failures.is_empty())
}

/// Refuses to measure for the README where its figures would mislead.
fn refuse_unless_fit(missing: &[String], machine: &Machine) -> anyhow::Result<()> {
    let reasons = missing.iter().cloned().chain(machine.warning());
    let reasons: Vec<String> = reasons.collect();
    ensure!(
        reasons.is_empty(),
        "the README stays as it is, and nothing was measured. {}",
        reasons.join(" ")
    );
    Ok(())
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
    use super::{USAGE, find, refuse_unless_fit};
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
        machine.busy = Some(0.5);
        let error = refuse_unless_fit(&[], &machine).unwrap_err();
        assert!(error.to_string().contains("used 50 %"), "{error}");
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

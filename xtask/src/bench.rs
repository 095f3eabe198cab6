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

use anyhow::Context;
use lexopt::{Arg, Parser, ValueExt};

use crate::bench::finding::Finding;
use crate::bench::instruments::Instruments;
use crate::bench::machine::Machine;
use crate::bench::rows::{ROWS, Row};
use crate::course::Course;
use crate::misuse::{Misuse, suggestion};
use crate::screen::Screen;

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
                project; only of all rows
  --plain       plain text without colour, as when the output is no terminal

Where `python3` or the C compiler `cc` is missing, the lines that need it are
empty. The exit status is 1 if a measurement failed. It is 0 if a row is short
of what is asked: that depends on the machine, and on what else runs on it.
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

/// The task `bench`: measures, shows what came of it, and writes it down.
pub(crate) fn run(arguments: Parser) -> anyhow::Result<ExitCode> {
    let wish = wish(arguments)?;
    let root = Course::here()?.root;
    let folder = wish.output.unwrap_or_else(|| root.join("target/bench"));
    fs::create_dir_all(&folder).with_context(|| cannot_write(&folder))?;
    let mut screen = Screen::stdout(wish.plain);
    let instruments = Instruments::prepare(&mut screen, &root, &wish.rows)?;
    for missing in &instruments.missing {
        screen.remark(missing)?;
    }
    let machine = Machine::here();
    if let Some(warning) = machine.warning() {
        screen.failure(&warning)?;
    }
    let findings = measuring::measure(&mut screen, &instruments, &wish.rows, wish.rounds)?;
    report::show(&mut screen, &findings, &machine)?;

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
    screen.line(&format!(
        "Written to {}: bench.md, bench.json, bench.svg.",
        folder.display()
    ))?;
    let failures = failures(&findings);
    for failure in &failures {
        screen.failure(failure)?;
    }
    if wish.readme && failures.is_empty() {
        place::put(&root, &table, &picture)?;
        screen.line("The README has the new table.")?;
    }
    tell_verdict(&mut screen, &findings, machine.cores)?;
    Ok(ExitCode::from(u8::from(!failures.is_empty())))
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
    use super::{USAGE, find};
    use crate::bench::rows::ROWS;

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

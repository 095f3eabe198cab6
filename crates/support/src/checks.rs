mod reports;
mod watched;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use lexopt::Arg;

use self::watched::{Ending, Outcome};
use crate::steps::MISUSED;

/// A check of an exercise: what has to hold, and the function that tests it.
pub type Check = (&'static str, fn() -> anyhow::Result<()>);

/// The default timeout of a check.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The environment variable that sets another timeout, in seconds.
const TIMEOUT_VARIABLE: &str = "CHECK_SECONDS";

/// The option with which this program starts itself to run one check.
const WATCHED: &str = "watched";

/// Runs the checks of an exercise up to the first that fails, and returns the exit status for `main`.
///
/// Each check runs in its own process: this program, started again. So a check that hangs, or that ends
/// the whole program, doesn't affect the others. A check that is still running after 5 seconds is killed,
/// together with every process that it has started, except those that have left its process group. The
/// environment variable `CHECK_SECONDS` sets another timeout. The output of a check is shown only if the
/// check fails: one that passes may have caused a panic on purpose. Of a check that fails, panics of other
/// processes in `checks.rs` are left out, and those that its error repeats.
///
/// | `cargo run -q -p LESSON --example LESSON-exercise --` | does |
/// |---|---|
/// | nothing | runs the checks up to the first that fails |
/// | `--all` | runs every check |
/// | `2` | runs the second check; several numbers run several checks |
///
/// A check fails if it returns an error, panics, or ends the program. The exit status is 0 if every
/// check passed, 1 if one failed, and 2 if the command line is wrong.
///
/// # Examples
///
/// ```no_run
/// use anyhow::ensure;
///
/// fn doubled(number: i64) -> i64 {
///     number + number
/// }
///
/// fn numbers_are_doubled() -> anyhow::Result<()> {
///     let double = doubled(21);
///     ensure!(double == 42, "21 doubled is 42, not {double}");
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     support::run_checks(&[("numbers are doubled", numbers_are_doubled)])
/// }
/// ```
#[must_use = "a failed check shows only if `main` returns this exit code"]
pub fn run_checks(checks: &[Check]) -> ExitCode {
    match parse(checks, env::args_os().skip(1)) {
        Ok(Args::Run(chosen)) => {
            let mut failed = 0;
            match run(checks, &chosen, &mut failed) {
                // A reader that closes the pipe, such as `head`, has seen enough.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    eprintln!("error: the checks cannot be run: {error}");
                    ExitCode::FAILURE
                }
                Ok(()) | Err(_) => ExitCode::from(u8::from(failed > 0)),
            }
        }
        Ok(Args::Watched(check)) => watched::run_here(check),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(MISUSED)
        }
    }
}

/// What the command line asks for.
enum Args {
    Run(Chosen),
    /// This process runs one check.
    Watched(Check),
}

/// The checks to run.
struct Chosen {
    /// Their numbers, counted from 1.
    numbers: Vec<usize>,
    /// Whether the run stops at the first check that fails.
    stops_at_failure: bool,
    /// The timeout of each check.
    timeout: Duration,
}

fn parse(checks: &[Check], arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Args> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut numbers = Vec::new();
    let mut all = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long(WATCHED) => {
                let number = number(checks, &parser.value()?)?;
                return Ok(Args::Watched(checks[number - 1]));
            }
            Arg::Long("all") => all = true,
            Arg::Value(value) => numbers.push(number(checks, &value)?),
            other => {
                return Err(other.unexpected()).context("give the numbers of checks, or `--all`");
            }
        }
    }
    let stops_at_failure = numbers.is_empty() && !all;
    if numbers.is_empty() || all {
        numbers = (1..=checks.len()).collect();
    }
    let timeout = timeout()?;
    Ok(Args::Run(Chosen {
        numbers,
        stops_at_failure,
        timeout,
    }))
}

fn number(checks: &[Check], value: &OsStr) -> anyhow::Result<usize> {
    let value = value.to_string_lossy();
    let number = value.parse().ok();
    number
        .filter(|number| (1..=checks.len()).contains(number))
        .with_context(|| {
            let names = checks.iter().enumerate();
            let names: Vec<String> = names
                .map(|(index, (name, _))| format!("{}. {name}", index + 1))
                .collect();
            let names = names.join("\n  ");
            format!("there is no check number `{value}`\nThe checks are:\n  {names}")
        })
}

fn timeout() -> anyhow::Result<Duration> {
    let Some(text) = env::var_os(TIMEOUT_VARIABLE) else {
        return Ok(TIMEOUT);
    };
    let seconds = text.to_str().and_then(|text| text.parse::<u64>().ok());
    match seconds {
        Some(1..) => Ok(Duration::from_secs(seconds.unwrap_or_default())),
        _ => Err(anyhow!(
            "{TIMEOUT_VARIABLE} is `{}`: give a number of seconds, such as 20",
            text.display()
        )),
    }
}

/// Runs the chosen checks, prints each result, and counts the failures.
fn run(checks: &[Check], chosen: &Chosen, failed: &mut usize) -> io::Result<()> {
    let mut out = io::stdout();
    let count = chosen.numbers.len();
    let noun = if count == 1 { "check" } else { "checks" };
    for (passed_before, &number) in chosen.numbers.iter().enumerate() {
        let (name, _) = checks[number - 1];
        let Outcome {
            ending,
            lines,
            more_lines,
        } = watched::run(number, chosen.timeout)?;
        let passed = matches!(ending, Ending::Passed);
        *failed += usize::from(!passed);
        let verdict = if passed { "passed" } else { "FAILED" };
        writeln!(out, "{number}. {name}: {verdict}")?;
        if passed {
            continue;
        }
        for line in reports::without_expected(lines) {
            writeln!(out, "   {line}")?;
        }
        if more_lines > 0 {
            writeln!(out, "   ... and {more_lines} more lines")?;
        }
        if let Some(text) = ending.explanation() {
            writeln!(out, "   {text}")?;
        }
        if chosen.stops_at_failure {
            return writeln!(
                out,
                "{passed_before} of {count} {noun} passed: fix this one first."
            );
        }
    }
    writeln!(out, "{} of {count} {noun} passed.", count - *failed)
}

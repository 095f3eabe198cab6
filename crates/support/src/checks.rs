mod watched;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use lexopt::Arg;

use self::watched::{Ending, Outcome};

/// A check of an exercise: what it demands, and the function that finds out.
pub type Check = (&'static str, fn() -> anyhow::Result<()>);

/// The exit status for a command line that cannot be understood, as is the custom.
const MISUSED: u8 = 2;

/// How long a check may take, unless the environment says otherwise.
const LIMIT: Duration = Duration::from_secs(5);

/// Sets another limit, in seconds.
const LIMIT_VARIABLE: &str = "CHECK_SECONDS";

/// The option with which this program starts itself for one check.
const WATCHED: &str = "watched";

/// Runs the checks of an exercise up to the first that fails, and returns the exit status for `main`.
///
/// Each check is a process of its own: this program, started again. So a check that hangs, or ends the
/// whole program, does not harm the others. One that is still running after 5 seconds (`CHECK_SECONDS`
/// in the environment sets another limit) is ended together with every process that it has started,
/// except those that have left its process group. What a check prints is shown below its line if it
/// fails; one that passes may have expected the panic that it caused.
///
/// | `cargo run -q -p LESSON --example LESSON-exercise --` | does |
/// |---|---|
/// | nothing more | runs the checks up to the first that fails |
/// | `--all` | runs every check |
/// | `2` | runs the second one; with several numbers each of them |
///
/// A check fails by returning an error, by panicking, or by ending the program. The exit status is 0 when
/// every check passed, 1 when one failed, and 2 when the command line cannot be understood.
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
                // A reader that has gone away, such as `head`, has seen enough.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    eprintln!("error: the checks cannot be run: {error}");
                    ExitCode::FAILURE
                }
                Ok(()) | Err(_) => ExitCode::from(u8::from(failed > 0)),
            }
        }
        Ok(Args::Watched(check)) => watched::be(check),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(MISUSED)
        }
    }
}

/// What the command line asks for.
enum Args {
    Run(Chosen),
    /// This process is to be one check.
    Watched(Check),
}

/// The checks to run.
struct Chosen {
    /// Their numbers, from 1 on.
    numbers: Vec<usize>,
    /// Whether those after one that fails are left out.
    stops_at_failure: bool,
    /// The limit for each.
    limit: Duration,
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
    let limit = limit()?;
    Ok(Args::Run(Chosen {
        numbers,
        stops_at_failure,
        limit,
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

fn limit() -> anyhow::Result<Duration> {
    let Some(text) = env::var_os(LIMIT_VARIABLE) else {
        return Ok(LIMIT);
    };
    let seconds = text.to_str().and_then(|text| text.parse::<u64>().ok());
    match seconds {
        Some(1..) => Ok(Duration::from_secs(seconds.unwrap_or_default())),
        _ => Err(anyhow!(
            "{LIMIT_VARIABLE} is `{}`: give a number of seconds, such as 20",
            text.display()
        )),
    }
}

/// Runs the chosen checks, prints how each went, and counts those that failed.
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
        } = watched::run(number, chosen.limit)?;
        let passed = matches!(ending, Ending::Passed);
        *failed += usize::from(!passed);
        let verdict = if passed { "passed" } else { "FAILED" };
        writeln!(out, "{number}. {name}: {verdict}")?;
        if passed {
            continue;
        }
        for line in lines {
            writeln!(out, "   {line}")?;
        }
        if more_lines > 0 {
            writeln!(out, "   ... and {more_lines} more lines")?;
        }
        if let Some(words) = ending.words() {
            writeln!(out, "   {words}")?;
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

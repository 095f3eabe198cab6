//! The task `doctor`: what the course needs, and whether it is there.
//!
//! What is found (`machine`, `tools`) and what is thought of it (`judge`) are apart, so that each
//! judgement can be tried without a machine that deserves it.

mod found;
mod judge;
mod machine;
mod tools;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser};

use self::judge::{Finding, Verdict};
use crate::mdbook;
use crate::screen::Screen;
use crate::task;
use course::Course;

pub(crate) const USAGE: &str = "\
Usage: cargo xtask doctor [--plain]

Looks whether everything is there that the course needs, and says what to do where
it is not. The exit status is 0 if the course can be played here, otherwise 1.

Options:
  --plain  plain text of 80 columns without colour, as it is when the output is no
           terminal or NO_COLOR is set
";

/// The task `doctor`: looks what is there.
pub(crate) fn run(mut arguments: Parser) -> anyhow::Result<ExitCode> {
    let mut plain = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("plain") => plain = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let course = Course::here()?;
    let mut screen = Screen::stdout(plain);
    let told = screen.status("Looking", "at this machine, and what is installed on it");
    task::though_unread(told)?;
    let findings = look(&course, screen.is_plain());
    task::though_unread(screen.end_status())?;
    let missing = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Problem);
    task::verdict(show(&mut screen, &findings), !missing)
}

fn look(course: &Course, is_plain: bool) -> Vec<Finding> {
    let cores = machine::cores();
    let built = course.lessons.iter();
    let built = built
        .filter(|lesson| program(&lesson.name).is_file())
        .count();
    let temporary = env::temp_dir();
    vec![
        judge::system(env::consts::OS, env::consts::ARCH),
        judge::rust(
            &tools::version(tools::rustc()),
            env!("CARGO_PKG_RUST_VERSION"),
        ),
        judge::cargo(&tools::version(tools::cargo())),
        judge::packages(&tools::packages(&course.root)),
        judge::disk(
            &machine::room(&machine::existing(&course.target_folder())),
            built == course.lessons.len(),
        ),
        judge::built(built, course.lessons.len()),
        judge::cores(cores),
        judge::load(machine::load(), cores),
        judge::shared_memory(&machine::shared_memory()),
        judge::temporary(&temporary.display().to_string(), &machine::room(&temporary)),
        judge::files(machine::files(), cores),
        judge::tasks(machine::tasks(), cores),
        judge::leftovers(machine::dead_runs()),
        judge::environment(&machine::changing_variables()),
        judge::terminal(
            terminal_size::terminal_size().map(|(width, _)| width.0),
            is_plain,
        ),
        judge::python(&tools::python()),
        judge::mdbook(&tools::version(
            mdbook::find(course).unwrap_or("mdbook".into()),
        )),
    ]
}

/// Gives the place of a lesson's program: the folder that this program is in, for both are built by the
/// same Cargo.
fn program(lesson: &str) -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    let name = format!("{lesson}{}", env::consts::EXE_SUFFIX);
    this.with_file_name(name)
}

fn show(screen: &mut Screen, findings: &[Finding]) -> anyhow::Result<()> {
    let rows = findings.iter().map(|finding| {
        let (found, word) = (literal(&finding.found), finding.verdict.word());
        format!("| {} | {found} | {word} |\n", finding.what)
    });
    let table = "| what | found | verdict |\n|---|---|---|\n".to_owned();
    screen.prose(&[table].into_iter().chain(rows).collect::<String>())?;

    for (verdict, title) in [
        (Verdict::Problem, "What is missing, and what to do"),
        (Verdict::Note, "What to know"),
    ] {
        let chosen = findings.iter().filter(|finding| finding.verdict == verdict);
        let items: Vec<String> = chosen
            .map(|finding| format!("- **{}**: {}\n", finding.what, finding.advice))
            .collect();
        if !items.is_empty() {
            screen.heading(title)?;
            screen.prose(&items.concat())?;
        }
    }
    let problems = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Problem);
    let things = match problems.count() {
        0 => return Ok(screen.line("The course can be played here.")?),
        1 => "1 thing is".to_owned(),
        count => format!("{count} things are"),
    };
    screen.line(&format!(
        "The course cannot be played here as it should be: {things} missing."
    ))?;
    Ok(())
}

/// Writes a text so that Markdown leaves it as it is.
fn literal(text: &str) -> String {
    let mut literal = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}

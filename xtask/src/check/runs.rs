use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Subject;
use course::build::Program;
use course::command;
use course::document::Code;
use course::excerpt::example;
use course::python::{self, Python};
use course::run::gather;
use course::transcript::Transcript;

/// The timeout of a step: longer than in the player, because all lessons run at the same time.
const TIMEOUT: Duration = Program::STEP_LIMIT.saturating_mul(5);

/// Runs a program, and returns the lines of its standard output. The error says why it failed.
pub(super) fn output(command: Command) -> Result<Vec<String>, String> {
    match gather(command, TIMEOUT) {
        Ok(run) if run.end.is_success() => Ok(run.output.lines().map(str::to_owned).collect()),
        Ok(run) => Err(format!("{}\n{}", run.end, run.errors.trim_end())),
        Err(error) => Err(format!("cannot run it: {error}")),
    }
}

/// Compares the `console` blocks with runs.
pub(super) fn check_transcripts(subject: &Subject) {
    let is_console = |code: &&Code| code.language() == "console";
    for code in subject.readme.code().filter(is_console) {
        if let Err((place, what)) = compare(subject, code) {
            let help = "correct the step or the block; CONTRIBUTING.md describes transcripts";
            subject.problem(code.line + place, what, help);
        }
    }
}

/// Compares a transcript with a run of its step. The error has the line in the block, and the difference.
fn compare(subject: &Subject, code: &Code) -> Result<(), (usize, String)> {
    let is_shown = |step: &&String| code.is_run_of(&command(&subject.lesson.name, step));
    let step = subject.steps.iter().find(is_shown);
    // Commands without output are for the reader.
    if step.is_none() && code.text.lines().all(|line| line.starts_with("$ ")) {
        return Ok(());
    }
    let transcript = Transcript::of(code).map_err(|what| (0, what))?;
    let step = step.ok_or_else(|| (0, format!("`{}` does not run a step", transcript.command)))?;
    let printed = output(subject.program.step(step));
    let printed = printed.map_err(|failure| (0, format!("step {step} failed: {failure}")))?;
    transcript.compare(&printed).map_err(|difference| {
        // The first two lines are the fence and the command.
        let what =
            format!("step {step} prints something different (- README, + run):\n{difference}");
        (2 + difference.place, what)
    })
}

/// Checks that the Python counterpart has the same steps, and runs them.
pub(super) fn check_python(subject: &Subject, python: Option<&Python>) {
    let (name, steps, report) = (&subject.lesson.name, &subject.steps, subject.report);
    let (script, root) = (python::script(name), &report.course.root);
    let (path, Some(python)) = (Path::new(&script), python) else {
        return;
    };
    let listed = output(python.step(root, &script, "--list"));
    if listed.as_ref() != Ok(steps) {
        let listed = listed.map_or_else(|failure| failure, |listed| listed.join(", "));
        let what = format!("`--list` does not print the steps of the Rust program: {listed}");
        let help = format!("set `STEPS` to {}", steps.join(", "));
        return report.add(path, 1, what, help);
    }
    for step in steps {
        if let Err(failure) = output(python.step(root, &script, step)) {
            let what = format!("step {step} failed: {failure}");
            let command = python::command(&script, step);
            report.add(path, 1, what, format!("fix it; `{command}` runs it"));
        }
    }
}

/// Compiles the examples that `compile_fail` blocks show, and compares the compiler's errors. (Rustdoc on
/// stable Rust doesn't compare error codes.)
pub(super) fn check_refused(subject: &Subject) {
    let mut blocks = subject.readme.code().peekable();
    while let Some(block) = blocks.next() {
        // A block without an example has already been reported.
        let Some(example) = example(block, &subject.sources) else {
            continue;
        };
        let errors = compile(subject, &example.text);
        // The error is quoted in the block that follows, or in this one's first line.
        let following = blocks.peek().filter(|next| next.text.starts_with("error"));
        let line = following.unwrap_or(&block).text.lines().next();
        let line = line.unwrap_or_default();
        let words = line.strip_prefix("// does not compile: ");
        let words = words.or(following.map(|_| line));
        let is_quoted = words.is_some_and(|words| errors.contains(words));
        let is_code = |tag: &str| errors.contains(&format!("error[{tag}]: "));
        if !is_quoted || !example.tags().any(is_code) {
            let error = errors.lines().find(|line| line.starts_with("error"));
            let what = format!("the compiler says: {}", error.unwrap_or("nothing"));
            let help = "put the error code into the fence of the example, and the message into its \
                        first line, `// does not compile: …`, or into the block that follows";
            subject.problem(block.line, what, help);
        }
    }
}

/// Compiles an example, and returns the compiler's output.
fn compile(subject: &Subject, example: &str) -> String {
    let lines = example.lines().filter(|line| *line != "#");
    let lines = lines.map(|line| line.strip_prefix("# ").unwrap_or(line));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if !text.contains("fn main()") {
        text = format!("fn main() {{\n{text}\n}}\n");
    }
    let program = &subject.program;
    let path = program.beside(&format!("{}-refused.rs", subject.lesson.name));
    // If this fails, rustc reports it.
    let _ = fs::write(&path, text);
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--emit=obj", "--color=never", "-L"]);
    rustc.arg(program.beside("deps")).args(&program.libraries);
    rustc.arg("-o").args([&path.with_extension("o"), &path]);
    output(rustc).err().unwrap_or_default()
}

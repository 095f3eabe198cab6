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

/// How long a run may take: longer than in the player, as all lessons run at the same time.
const LIMIT: Duration = Program::STEP_LIMIT.saturating_mul(5);

/// Runs a program, and returns what it prints on standard output; if it fails, why.
pub(super) fn output(command: Command) -> Result<Vec<String>, String> {
    match gather(command, LIMIT) {
        Ok(run) if run.end.is_success() => Ok(run.output.lines().map(str::to_owned).collect()),
        Ok(run) => Err(format!("{}\n{}", run.end, run.errors.trim_end())),
        Err(error) => Err(format!("it cannot be run: {error}")),
    }
}

/// Compares the blocks of the language `console` with runs.
pub(super) fn check_transcripts(subject: &Subject) {
    let is_console = |code: &&Code| code.language() == "console";
    for code in subject.readme.code().filter(is_console) {
        if let Err((place, what)) = compare(subject, code) {
            let mend = "correct the step or the block: CONTRIBUTING.md describes transcripts";
            subject.problem(code.line + place, what, mend);
        }
    }
}

/// Compares a transcript with a run of its step. An error tells a line of the block, and what differs.
fn compare(subject: &Subject, code: &Code) -> Result<(), (usize, String)> {
    let is_shown = |step: &&String| code.is_run_of(&command(&subject.lesson.name, step));
    let step = subject.steps.iter().find(is_shown);
    // Commands for the reader may stand alone.
    if step.is_none() && code.text.lines().all(|line| line.starts_with("$ ")) {
        return Ok(());
    }
    let transcript = Transcript::of(code).map_err(|what| (0, what))?;
    let step = step.ok_or_else(|| (0, format!("`{}` runs no step", transcript.command)))?;
    let printed = output(subject.program.step(step));
    let printed = printed.map_err(|failure| (0, format!("step {step} failed: {failure}")))?;
    transcript.compare(&printed).map_err(|difference| {
        // The first two lines are the fence and the command.
        let what = format!("step {step} prints something else (- README, + run):\n{difference}");
        (2 + difference.place, what)
    })
}

/// Runs the Python counterpart, which must have the same steps.
pub(super) fn check_python(subject: &Subject, python: Option<&Python>) {
    let (name, steps, report) = (&subject.lesson.name, &subject.steps, subject.report);
    let (path, root) = (python::script(name), report.root);
    let (path, Some(python)) = (Path::new(&path), python) else {
        return;
    };
    let listed = output(python.step(root, name, "--list"));
    if listed.as_ref() != Ok(steps) {
        let listed = listed.map_or_else(|failure| failure, |listed| listed.join(", "));
        let what = format!("`--list` does not print the steps of the program in Rust: {listed}");
        let mend = format!("make `STEPS` there {}", steps.join(", "));
        return report.add(path, 1, what, mend);
    }
    for step in steps {
        if let Err(failure) = output(python.step(root, name, step)) {
            let what = format!("step {step} failed: {failure}");
            let command = python::command(name, step);
            report.add(path, 1, what, format!("correct it; `{command}` runs it"));
        }
    }
}

/// Compiles the examples that blocks `compile_fail` show, and compares what the compiler says. (The
/// tests of the documentation compare no error codes.)
pub(super) fn check_refused(subject: &Subject) {
    let mut blocks = subject.readme.code().peekable();
    while let Some(block) = blocks.next() {
        // A block without an example has been reported.
        let Some(example) = example(block, &subject.sources) else {
            continue;
        };
        let said = compile(subject, &example.text);
        // The compiler's words are in the block that follows, or in this one's comment.
        let following = blocks.peek().filter(|next| next.text.starts_with("error"));
        let line = following.unwrap_or(&block).text.lines().next();
        let line = line.unwrap_or_default();
        let words = line.strip_prefix("// does not compile: ");
        let words = words.or(following.map(|_| line));
        let is_quoted = words.is_some_and(|words| said.contains(words));
        let is_code = |tag: &str| said.contains(&format!("error[{tag}]: "));
        if !is_quoted || !example.tags().any(is_code) {
            let error = said.lines().find(|line| line.starts_with("error"));
            let what = format!("the compiler says: {}", error.unwrap_or("nothing"));
            let mend = "name the code in the fence of the example, and the words in its first \
                        line, `// does not compile: …`, or in the block that follows";
            subject.problem(block.line, what, mend);
        }
    }
}

/// Compiles an example, and returns what the compiler says.
fn compile(subject: &Subject, example: &str) -> String {
    let lines = example.lines().filter(|line| *line != "#");
    let lines = lines.map(|line| line.strip_prefix("# ").unwrap_or(line));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if !text.contains("fn main()") {
        text = format!("fn main() {{\n{text}\n}}\n");
    }
    let program = &subject.program;
    let path = program.beside(&format!("{}-refused.rs", subject.lesson.name));
    // If this fails, rustc says so.
    let _ = fs::write(&path, text);
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--emit=obj", "--color=never", "-L"]);
    rustc.arg(program.beside("deps")).args(&program.libraries);
    rustc.arg("-o").args([&path.with_extension("o"), &path]);
    output(rustc).err().unwrap_or_default()
}

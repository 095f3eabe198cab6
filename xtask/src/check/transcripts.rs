use super::Problem;
use super::checkout::{Checkout, LessonFiles};
use course::command;
use course::document::{Code, Document};
use course::transcript::Transcript;

/// Every run that a README shows is one that the step makes. Other commands may stand there, but
/// none with its output: nobody would know when that is no longer true.
pub(super) fn runs_are_as_shown(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        let blocks = lesson.readme.iter().flat_map(Document::code);
        let consoles = blocks.filter(|code| code.language() == "console");
        problems.extend(consoles.filter_map(|code| check(lesson, code)));
    }
    problems
}

fn check(lesson: &LessonFiles, code: &Code) -> Option<Problem> {
    if code.text.lines().all(|line| line.starts_with("$ ")) && code.text.lines().count() > 1 {
        return None;
    }
    let problem = |line, what: String, mend: String| {
        Some(Problem::new(lesson.readme_path(), line, what, mend))
    };
    let transcript = match Transcript::of(code) {
        Ok(transcript) => transcript,
        Err(reason) => {
            let mend = "CONTRIBUTING.md tells how a transcript is written";
            return problem(code.line, reason, mend.to_owned());
        }
    };
    let shown = transcript.command.as_str();
    // Without the list of steps another rule has said why.
    let steps = lesson.steps.as_ref().ok()?;
    let step = steps
        .iter()
        .find(|step| command(&lesson.name, step) == shown);
    let Some(step) = step else {
        if code.text.lines().count() == 1 {
            return None;
        }
        return problem(
            code.line,
            format!("`{shown}` runs no step of this lesson, so its output is not checked"),
            format!(
                "show a run like `{}`, or leave out what it prints",
                command(&lesson.name, steps.first().map_or("STEP", String::as_str))
            ),
        );
    };
    let run = lesson.runs.iter().find(|run| run.step == *step)?;
    if let Some(failure) = &run.failure {
        return problem(
            code.line,
            format!("step {step} failed: {}", indented(&failure.to_string())),
            format!("correct the step; `{}` runs it", &shown[2..]),
        );
    }
    let difference = transcript.compare(&run.printed)?;
    // The line after the fence is the command, the next one the first of the output.
    problem(
        code.line + 2 + difference.place(),
        format!(
            "step {step} prints something else (- the README, + the run):{}",
            indented(&format!("\n{difference}"))
        ),
        format!(
            "if the run is right, correct the block by hand, else the step; `{}` runs it",
            &shown[2..]
        ),
    )
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::runs_are_as_shown;
    use crate::check::fixture::{Fixture, problems};
    use crate::check::run::Run;

    const README: &str = "lessons/pool/README.md";

    /// Gives the problems when the step `map` has printed these lines.
    fn after(fixture: &Fixture, printed: &[&str]) -> Vec<String> {
        let mut checkout = fixture.checkout();
        checkout.lessons[0].runs.push(Run {
            step: "map".to_owned(),
            printed: printed.iter().map(|line| (*line).to_owned()).collect(),
            failure: None,
        });
        problems(runs_are_as_shown, &checkout)
    }

    #[test]
    fn a_run_like_the_block_is_accepted() {
        assert_eq!(after(&Fixture::new(), &["4"]), [""; 0]);
    }

    #[test]
    fn another_digit_is_told_with_its_line_and_both_texts() {
        let fixture = Fixture::new();
        let line = 1 + fixture.read(README).lines().position(|l| l == "4").unwrap();
        let found = after(&fixture, &["5"]);
        assert_eq!(
            found,
            [format!(
                "{README}:{line}: step map prints something else (- the README, + the run):\n    \
                 - 4\n    + 5\n    mend: if the run is right, correct the block by hand, else the \
                 step; `cargo run -q -p pool -- map` runs it"
            )]
        );
    }

    #[test]
    fn output_of_another_command_is_refused_and_the_command_alone_is_not() {
        let fixture = Fixture::new();
        fixture.append(README, "\n```console\n$ python3 pool.py map\n```\n");
        assert_eq!(after(&fixture, &["4"]), [""; 0]);
        fixture.append(README, "\n```console\n$ python3 pool.py map\n10\n```\n");
        let found = after(&fixture, &["4"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("runs no step of this lesson"),
            "{found:?}"
        );
        assert!(
            found[0].contains("`$ cargo run -q -p pool -- map`"),
            "{found:?}"
        );
    }

    #[test]
    fn several_commands_without_output_are_no_transcript() {
        let fixture = Fixture::new();
        fixture.append(README, "\n```console\n$ cargo fetch\n$ cargo build\n```\n");
        assert_eq!(after(&fixture, &["4"]), [""; 0]);
    }

    #[test]
    fn an_unknown_order_is_refused_with_the_nearest() {
        let fixture = Fixture::new();
        fixture.replace(README, "```console\n", "```console any-ordr\n");
        let found = after(&fixture, &["4"]);
        assert!(found[0].contains("did you mean `any-order`?"), "{found:?}");
    }
}

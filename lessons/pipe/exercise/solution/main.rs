//! The exercise of this lesson, solved.

#[path = "../checks.rs"]
mod checks;

use anyhow::Result;
use multiprocess::{Connection, pipe, spawn, task};
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([task(calculator)]);
    support::run_checks(checks::CHECKS)
}

/// An operator and two numbers.
pub type Question = (String, i64, i64);

/// The result, or why there is none.
pub type Answer = std::result::Result<i64, String>;

fn calculate(operator: &str, a: i64, b: i64) -> Answer {
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" => a.checked_div(b),
        _ => return Err(format!("{operator:?} is no operator")),
    };
    result.ok_or(format!("{a} {operator} {b} has no result"))
}

/// Answers questions until there are no more, and gives their number; runs in a process of its own.
pub fn calculator(asker: Connection<Answer, Question>) -> usize {
    let mut asked = 0;
    for question in &asker {
        let (operator, a, b) = question.expect("a question can be read");
        let answer = calculate(&operator, a, b);
        asker.send(answer).expect("the parent listens");
        asked += 1;
    }
    asked
}

/// Asks a calculator all questions. Gives its answers, and how many questions it says it was asked.
pub fn ask_all(questions: Vec<Question>) -> Result<(Vec<Answer>, usize)> {
    let (ours, theirs) = pipe::<Question, Answer>()?;
    let child = spawn(calculator, (theirs,))?;
    let mut answers = Vec::new();
    for question in questions {
        ours.send(question)?;
        answers.push(ours.recv()?);
    }
    ours.close();
    Ok((answers, child.join()?))
}

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

/// The result, or why there is none. (`Result` alone is anyhow's here, whose errors aren't texts.)
pub type Answer = std::result::Result<i64, String>;

fn calculate(operator: &str, a: i64, b: i64) -> Answer {
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" => a.checked_div(b),
        _ => return Err(format!("unknown operator {operator}")),
    };
    result.ok_or(format!("{a} {operator} {b} has no result"))
}

/// Answers questions until there are no more, and returns how many there were. Runs in a child process.
pub fn calculator(parent: Connection<Answer, Question>) -> usize {
    let mut answered = 0;
    for question in &parent {
        let (operator, a, b) = question.unwrap();
        parent.send(calculate(&operator, a, b)).unwrap();
        answered += 1;
    }
    answered
}

/// Asks a calculator all the questions. Returns its answers, and how many it says it has answered.
pub fn ask_all(questions: Vec<Question>) -> Result<(Vec<Answer>, usize)> {
    let (ours, theirs) = pipe::<Question, Answer>()?;
    let child = spawn(calculator, (theirs,))?;
    let mut answers = Vec::new();
    for question in questions {
        ours.send(question)?;
        answers.push(ours.recv()?);
    }
    ours.close();
    let answered = child.join()?;
    Ok((answers, answered))
}

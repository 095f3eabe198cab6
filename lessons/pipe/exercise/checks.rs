//! What the exercise must do.

use super::{Answer, Question, ask_all, calculator};
use anyhow::{Context, Result, ensure};
use multiprocess::{Connection, JoinHandle, pipe, spawn};
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    (
        "the child answers one question after the other",
        one_after_the_other,
    ),
    ("it knows four operators", four_operators),
    ("what has no result is answered with an error", no_result),
    ("the child ends when the parent hangs up", hanging_up),
    (
        "ask_all gives all answers, and the child's number",
        all_answers,
    ),
];

const PATIENCE: Duration = Duration::from_secs(5);

/// A child that calculates, and our end of the pipe to it.
struct Calculator {
    child: JoinHandle<usize>,
    end: Connection<Question, Answer>,
}

impl Calculator {
    fn start() -> Result<Calculator> {
        let (end, theirs) = pipe()?;
        let child = spawn(calculator, (theirs,))?;
        Ok(Calculator { child, end })
    }

    fn ask(&self, operator: &str, a: i64, b: i64) -> Result<Answer> {
        let question = format!("{a} {operator} {b}");
        let asked = self.end.send((operator.to_string(), a, b));
        ensure!(
            asked.is_ok(),
            "the child has ended before it was asked {question}"
        );
        let answer = self.end.recv_timeout(PATIENCE);
        answer.with_context(|| format!("the child did not answer {question}"))
    }

    fn expect(&self, operator: &str, a: i64, b: i64, expected: i64) -> Result<()> {
        let answer = self.ask(operator, a, b)?;
        ensure!(
            answer == Ok(expected),
            "{a} {operator} {b} is {expected}, and was answered with {answer:?}"
        );
        Ok(())
    }
}

fn one_after_the_other() -> Result<()> {
    let calculator = Calculator::start()?;
    for number in 1..=100 {
        calculator.expect("+", number, number, 2 * number)?;
    }
    Ok(())
}

fn four_operators() -> Result<()> {
    let calculator = Calculator::start()?;
    calculator.expect("+", 2, 3, 5)?;
    calculator.expect("-", 2, 3, -1)?;
    calculator.expect("*", 2, 3, 6)?;
    calculator.expect("/", 7, 2, 3)
}

fn no_result() -> Result<()> {
    let calculator = Calculator::start()?;
    let without_result = [
        ("/", 1, 0),
        ("?", 1, 2),
        ("+", i64::MAX, 1),
        ("-", i64::MIN, 1),
        ("*", i64::MAX, i64::MAX),
        ("/", i64::MIN, -1),
    ];
    for (operator, a, b) in without_result {
        let answer = calculator.ask(operator, a, b)?;
        ensure!(
            answer.is_err(),
            "{a} {operator} {b} has no result, and was answered with {answer:?}"
        );
    }
    calculator.expect("+", 20, 22, 42)
}

fn hanging_up() -> Result<()> {
    let mut calculator = Calculator::start()?;
    for number in 1..=3 {
        calculator.expect("+", number, 1, number + 1)?;
    }
    calculator.end.close();
    let asked = calculator.child.join_timeout(PATIENCE);
    let waits = matches!(&asked, Err(error) if error.is_timeout());
    ensure!(!waits, "the parent has hung up, and the child still waits");
    let asked = asked?;
    ensure!(asked == 3, "the child was asked 3 times, and says {asked}");
    Ok(())
}

fn all_answers() -> Result<()> {
    let question = |operator: &str, a, b| (operator.to_string(), a, b);
    let questions = vec![
        question("+", 10, 1),
        question("/", 10, 0),
        question("*", 6, 7),
    ];
    let (answers, asked) = ask_all(questions)?;
    match &answers[..] {
        [Ok(11), Err(_), Ok(42)] => {}
        _ => anyhow::bail!("10 + 1, 10 / 0 and 6 * 7 were answered with {answers:?}"),
    }
    ensure!(asked == 3, "three questions were asked, and not {asked}");
    let (answers, asked) = ask_all(Vec::new())?;
    ensure!(answers.is_empty() && asked == 0, "nothing was asked");
    Ok(())
}

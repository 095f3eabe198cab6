//! The checks of the exercise.

use super::{Answer, Question, ask_all, calculator};
use anyhow::{Result, bail, ensure};
use multiprocess::{Connection, JoinHandle, active_children, pipe, spawn};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::Check;

pub const CHECKS: &[Check] = &[
    (
        "the child answers one question after another",
        many_questions,
    ),
    ("the child knows four operators", four_operators),
    ("a question without a result gets an error", no_result),
    (
        "the child ends when the parent closes its end",
        parent_closes,
    ),
    ("ask_all returns all answers and their number", all_answers),
];

/// How long a check waits for an answer, or for a process to end.
const LIMIT: Duration = Duration::from_secs(4);

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
        let sent = self.end.send((operator.to_string(), a, b));
        ensure!(sent.is_ok(), "the child ended before we asked {question}");
        match self.end.recv_timeout(LIMIT) {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_timeout() => {
                end_children();
                bail!("no answer to {question} within 4 s")
            }
            Err(_) => bail!("the child ended without an answer to {question}"),
        }
    }

    fn expect(&self, operator: &str, a: i64, b: i64, expected: i64) -> Result<()> {
        let answer = self.ask(operator, a, b)?;
        let got = readable(&answer);
        ensure!(
            answer == Ok(expected),
            "the answer to {a} {operator} {b} should be {expected}, not {got}"
        );
        Ok(())
    }
}

fn readable(answer: &Answer) -> String {
    match answer {
        Ok(number) => number.to_string(),
        Err(reason) => format!("the error \"{reason}\""),
    }
}

fn many_questions() -> Result<()> {
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
    let questions = [
        ("/", 1, 0),
        ("?", 1, 2),
        ("+", i64::MAX, 1),
        ("-", i64::MIN, 1),
        ("*", i64::MAX, i64::MAX),
        ("/", i64::MIN, -1),
    ];
    for (operator, a, b) in questions {
        if let Ok(number) = calculator.ask(operator, a, b)? {
            bail!("{a} {operator} {b} has no result, but the child answered {number}");
        }
    }
    calculator.expect("+", 20, 22, 42)
}

fn parent_closes() -> Result<()> {
    let mut calculator = Calculator::start()?;
    for number in 1..=3 {
        calculator.expect("+", number, 1, number + 1)?;
    }
    calculator.end.close();
    match calculator.child.join_timeout(LIMIT) {
        Ok(3) => Ok(()),
        Ok(number) => bail!("the child got 3 questions, but returned {number}"),
        Err(error) if error.is_timeout() => {
            end_children();
            bail!("the parent closed its end 4 s ago, and the child is still running")
        }
        Err(_) => bail!("the child failed when the parent closed its end"),
    }
}

/// Ends the children that are still running: otherwise this process waits for them when it ends.
fn end_children() {
    for child in active_children() {
        let _ = Command::new("kill").arg(child.pid().to_string()).status();
    }
}

/// Calls `ask_all` in a thread, to give it a limit.
fn ask_all_in_time(questions: Vec<Question>) -> Result<(Vec<Answer>, usize)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(ask_all(questions)));
    match receiver.recv_timeout(LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            end_children();
            bail!(
                "ask_all is still running after 4 s: \
                 does the child know that there are no more questions?"
            )
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => bail!("ask_all panicked"),
    }
}

fn all_answers() -> Result<()> {
    let question = |operator: &str, a, b| (operator.to_string(), a, b);
    let (answers, answered) = ask_all_in_time(vec![
        question("+", 10, 1),
        question("-", 10, 1),
        question("+", 20, 22),
    ])?;
    let got: Vec<String> = answers.iter().map(readable).collect();
    ensure!(
        answers == [Ok(11), Ok(9), Ok(42)],
        "the answers to 10 + 1, 10 - 1 and 20 + 22 should be 11, 9 and 42, not {}",
        got.join(", ")
    );
    ensure!(
        answered == 3,
        "ask_all asked 3 questions, but the child's number is {answered}"
    );
    let (answers, answered) = ask_all_in_time(Vec::new())?;
    ensure!(
        answers.is_empty() && answered == 0,
        "without questions there are no answers, and the number is 0"
    );
    Ok(())
}

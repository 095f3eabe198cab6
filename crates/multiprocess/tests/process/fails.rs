//! Functions that return an error: it arrives where the value would, with its message.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::error::Error as StdError;
use std::fmt;
use std::process::ExitCode;

use anyhow::Context;
use multiprocess::{
    Error, OrError, Plain, Pool, RegisteredTask, Task, TaskFailure, init, spawn, task,
};
use serde::{Deserialize, Serialize};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            the_value_of_a_function_that_can_fail_arrives,
            an_error_of_any_kind_arrives_with_its_message_and_its_sources,
            an_error_whose_message_panics_is_a_panic,
            a_result_with_words_is_a_value_like_any_other,
            an_error_that_serde_can_serialise_is_what_the_caller_says,
            an_error_in_a_pool_fails_its_input_and_no_other,
            an_initializer_that_fails_breaks_the_pool,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(halves),
        task(reads_nothing),
        task(boxed),
        task(own),
        task(unsayable),
        task(in_words),
        task(no_setup),
        task(explosive),
        task(in_a_plain_box),
        task::<_, _, OrError>(both),
        task::<_, _, Plain>(both),
    ]
}

fn halves(number: u32) -> anyhow::Result<u32> {
    anyhow::ensure!(number.is_multiple_of(2), "{number} is odd");
    Ok(number / 2)
}

fn reads_nothing(path: String) -> anyhow::Result<Vec<u8>> {
    std::fs::read(&path).with_context(|| format!("reading {path}"))
}

fn boxed() -> Result<(), Box<dyn StdError + Send + Sync>> {
    Err("in a box".into())
}

/// Says what its source says, too.
#[derive(Debug)]
struct Own(fmt::Error);

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "own: {}", self.0)
    }
}

impl StdError for Own {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn own() -> Result<String, Own> {
    Err(Own(fmt::Error))
}

#[derive(Debug)]
struct Unsayable;

impl fmt::Display for Unsayable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl StdError for Unsayable {}

fn unsayable() -> Result<(), Unsayable> {
    Err(Unsayable)
}

/// Panics in its message, and when it is dropped.
#[derive(Debug)]
struct Explosive;

impl fmt::Display for Explosive {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in its words")
    }
}

impl StdError for Explosive {}

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in its drop")
    }
}

fn explosive() -> Result<(), Explosive> {
    Err(Explosive)
}

fn in_a_plain_box() -> Result<(), Box<dyn StdError>> {
    Err(Box::new(Both::Big))
}

/// Has a message, and serde can serialise it, too.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Both {
    Big,
}

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too big")
    }
}

impl StdError for Both {}

fn both() -> Result<u32, Both> {
    Err(Both::Big)
}

fn in_words(number: u32) -> Result<u32, String> {
    if number == 0 {
        return Err("nothing".to_owned());
    }
    Ok(number)
}

fn no_setup() -> anyhow::Result<()> {
    anyhow::bail!("no setup here")
}

fn the_value_of_a_function_that_can_fail_arrives() {
    // Not a result in a result.
    let half: u32 = spawn(halves, (10,)).unwrap().join().unwrap();
    assert_eq!(half, 5);
}

/// How a function without arguments fails, and with which exit code.
fn failure<F: Task<(), How>, How>(function: F) -> (String, Option<i32>) {
    let mut child = spawn(function, ()).unwrap();
    let Err(error) = child.join_timeout(story::LIMIT) else {
        panic!("it did not fail");
    };
    let code = child.exit_status().unwrap().code();
    match error {
        Error::Failed { message, .. } => (message, code),
        Error::Panicked { message, .. } => (format!("panicked: {message}"), code),
        other => panic!("{other}"),
    }
}

fn an_error_of_any_kind_arrives_with_its_message_and_its_sources() {
    let child = spawn(reads_nothing, ("/no such file".to_owned(),)).unwrap();
    let (name, pid) = (child.name().to_owned(), child.pid());
    let error = child.join().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "process '{name}' (pid {pid}) failed: reading /no such file: \
             No such file or directory (os error 2)"
        )
    );
    assert_eq!(failure(boxed), ("in a box".to_owned(), Some(1)));
    assert_eq!(failure(in_a_plain_box), ("too big".to_owned(), Some(1)));
    // The message of the source, once.
    let words = format!("own: {}", fmt::Error);
    assert_eq!(failure(own), (words, Some(1)));
}

fn an_error_whose_message_panics_is_a_panic() {
    assert_eq!(
        failure(explosive),
        ("panicked: in its drop".to_owned(), Some(101))
    );
    assert_eq!(
        failure(unsayable),
        ("panicked: no words".to_owned(), Some(101))
    );
}

fn an_error_that_serde_can_serialise_is_what_the_caller_says() {
    let words: multiprocess::Result<u32> = spawn::<_, _, OrError>(both, ()).unwrap().join();
    assert!(words.unwrap_err().to_string().ends_with(" failed: too big"));
    let whole: Result<u32, Both> = spawn::<_, _, Plain>(both, ()).unwrap().join().unwrap();
    assert_eq!(whole, Err(Both::Big));
}

fn a_result_with_words_is_a_value_like_any_other() {
    let answer = |number| spawn(in_words, (number,)).unwrap().join().unwrap();
    assert_eq!(answer(0), Err("nothing".to_owned()));
    assert_eq!(answer(1), Ok(1));
}

fn an_error_in_a_pool_fails_its_input_and_no_other() {
    let pool = Pool::new(2).unwrap();
    for chunk in [1, 7] {
        let results = pool.chunk_size(chunk).map_each(halves, 0..20).unwrap();
        for (number, result) in (0..).zip(results) {
            match result {
                Ok(half) => assert_eq!(2 * half, number),
                Err(Error::Task { index, failure, .. }) => {
                    let message = format!("{number} is odd");
                    assert_eq!(
                        (index, failure),
                        (number as usize, TaskFailure::Failed { message })
                    );
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    let error = pool.map(halves, [2, 4, 5]).unwrap_err().to_string();
    assert!(
        error.ends_with("::halves` gave no result for input 2: it failed: 5 is odd"),
        "{error}"
    );
    assert_eq!(pool.apply(halves, (8,)).unwrap(), 4);
    let mut imap = pool.imap(halves, [4, 3]).unwrap();
    assert_eq!(imap.next().unwrap().unwrap(), 2);
    assert!(imap.next().unwrap().is_err());
}

fn an_initializer_that_fails_breaks_the_pool() {
    let pool = Pool::builder().workers(1).initializer(no_setup, ());
    let pool = pool.unwrap().build().unwrap();
    let error = pool.map(halves, [2]).unwrap_err();
    let error = error.to_string();
    let reason = " failed: the initializer ";
    assert!(
        error.starts_with("the pool is broken") && error.contains(reason),
        "{error}"
    );
    assert!(
        error.ends_with("::no_setup failed: it failed: no setup here"),
        "{error}"
    );
}

//! Values that cannot travel: an error for that call, which affects nothing else.

use crate::story;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;

use multiprocess::{Error, RegisteredTask, Task, Travelling, init, spawn, task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            an_argument_that_refuses_to_be_sent_is_an_error_of_that_spawn_alone,
            a_poisoned_mutex_is_an_error_with_the_reason,
            a_flattened_struct_is_an_error_with_a_way_out,
            an_argument_that_cannot_be_read_is_an_error_of_its_join,
            an_answer_that_refuses_to_be_sent_is_an_error_with_exit_code_1,
            an_answer_that_cannot_be_read_is_an_error_of_its_join,
            an_answer_that_panics_while_it_is_sent_is_a_panic,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(one),
        task(same::<Refusing>),
        task(same::<Unreadable>),
        task(same::<Untagged>),
        task(same::<Flattened>),
        task(same::<serde_json::Value>),
        task(same::<Mutex<u8>>),
        task(refusing),
        task(unreadable),
        task(panicking),
    ]
}

fn one(number: i64) -> i64 {
    2 * number
}

fn same<T>(value: T) -> T {
    value
}

/// Runs a function in a process of its own and returns its result.
fn ask<F, Args>(function: F, args: Args) -> F::Output
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    spawn(function, args).unwrap().join().unwrap()
}

/// Its `Serialize` reports an error.
#[derive(Debug, Deserialize)]
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a refusal of its own"))
    }
}

/// Its `Deserialize` reports an error.
#[derive(Debug, Serialize)]
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Unreadable, D::Error> {
        Err(serde::de::Error::custom("it cannot be read"))
    }
}

/// Its `Serialize` panics.
#[derive(Debug, Deserialize)]
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no way to send this")
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

fn refusing() -> Refusing {
    Refusing
}

fn unreadable() -> Unreadable {
    Unreadable
}

fn panicking() -> Panicking {
    Panicking
}

/// The reason why the arguments of a process could not be sent.
fn unsent<R>(spawned: Result<multiprocess::JoinHandle<R>, Error>) -> String {
    let error = spawned.unwrap_err();
    let Error::Encode {
        what: Travelling::Arguments,
        ref reason,
        ..
    } = error
    else {
        panic!("another error: {error}");
    };
    assert!(
        error
            .to_string()
            .contains("the arguments of process 'Process-"),
        "{error}"
    );
    reason.clone()
}

fn an_argument_that_refuses_to_be_sent_is_an_error_of_that_spawn_alone() {
    for _ in 0..3 {
        let reason = unsent(spawn(same::<Refusing>, (Refusing,)));
        assert_eq!(reason, "a refusal of its own");
        assert_eq!(ask(one, (1,)), 2);
    }
}

fn a_poisoned_mutex_is_an_error_with_the_reason() {
    let mutex = Mutex::new(5);
    let answer = ask(same::<Mutex<u8>>, (mutex,));
    assert_eq!(*answer.lock().unwrap(), 5);
    // Poisoned without a message on standard error.
    let _ = std::panic::catch_unwind(|| {
        let _guard = answer.lock();
        std::panic::resume_unwind(Box::new(()));
    });
    let reason = unsent(spawn(same::<Mutex<u8>>, (answer,)));
    assert!(reason.contains("poison"), "{reason}");
    assert_eq!(ask(one, (1,)), 2);
}

fn a_flattened_struct_is_an_error_with_a_way_out() {
    let flattened = Flattened {
        name: "sizes".to_owned(),
        rest: BTreeMap::from([("small".to_owned(), 1)]),
    };
    let reason = unsent(spawn(same::<Flattened>, (flattened,)));
    assert!(reason.contains("flatten"), "{reason}");
    assert_eq!(ask(one, (1,)), 2);
}

/// Expects that the child cannot read its arguments, and returns the reason.
fn unread<F, Args>(function: F, args: Args) -> String
where
    F: Task<Args, Output: std::fmt::Debug>,
    Args: Serialize + DeserializeOwned,
{
    let mut child = spawn(function, args).unwrap();
    let error = child.join_timeout(story::LIMIT).unwrap_err();
    assert_eq!(child.exit_status().unwrap().code(), Some(1));
    match error {
        Error::Decode {
            what: Travelling::Arguments,
            reason,
            name,
        } => {
            assert_eq!(name, child.name());
            reason
        }
        other => panic!("another error: {other}"),
    }
}

fn an_argument_that_cannot_be_read_is_an_error_of_its_join() {
    unread(same::<Unreadable>, (Unreadable,));
    let reason = unread(same::<Untagged>, (Untagged::Number(1),));
    assert!(reason.contains("untagged"), "{reason}");
    let reason = unread(same::<serde_json::Value>, (serde_json::json!({"a": [1]}),));
    assert!(reason.contains("serde_json::Value"), "{reason}");
    assert_eq!(ask(one, (1,)), 2);
}

fn an_answer_that_refuses_to_be_sent_is_an_error_with_exit_code_1() {
    let mut child = spawn(refusing, ()).unwrap();
    let error = child.join_timeout(story::LIMIT).unwrap_err();
    assert!(
        matches!(&error, Error::Encode { what: Travelling::Answer, name, reason }
            if name == child.name() && reason == "a refusal of its own"),
        "{error}"
    );
    assert_eq!(child.exit_status().unwrap().code(), Some(1));
}

fn an_answer_that_cannot_be_read_is_an_error_of_its_join() {
    let mut child = spawn(unreadable, ()).unwrap();
    let error = child.join_timeout(story::LIMIT).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Decode {
                what: Travelling::Answer,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(child.exit_status().unwrap().code(), Some(0));
}

fn an_answer_that_panics_while_it_is_sent_is_a_panic() {
    let error = spawn(panicking, ()).unwrap().join().unwrap_err();
    assert!(
        matches!(&error, Error::Panicked { message, .. } if message == "no way to send this"),
        "{error}"
    );
}

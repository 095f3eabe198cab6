//! What users have written, in messages: called as they call it, escaped, and shortened.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Builder, Error, Lock, Pool, RLock, RegisteredTask, Value, init, spawn, task};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![with_strange_names],
        story::named![
            errors_about_a_value_call_it_a_value,
            names_in_errors_are_escaped_and_shortened,
            what_can_be_printed_is_not_escaped_and_the_rest_is_escaped_once,
            long_names_are_shortened_between_characters_and_messages_are_whole,
            the_message_of_a_panic_is_escaped_where_it_is_shown,
            names_are_escaped_and_shortened_in_all_that_is_printed,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(shown_by_the_system),
        task(panics),
        task(panics_for),
        task(holds),
    ]
}

fn shown_by_the_system() -> String {
    std::fs::read_to_string("/proc/self/comm").unwrap()
}

/// Clears the screen, has more lines than one, and is long.
fn strange(length: usize) -> String {
    format!("a\x1b[2J\r\nb\u{202e}{}", "long ".repeat(length / 5))
}

fn panics(length: usize) {
    panic!("{}", strange(length));
}

fn panics_for(_: u8) {
    panics(1000);
}

fn holds(value: Value<u64>, name: String) -> (String, String) {
    let lock = Lock::named(&name).unwrap();
    let _guards = (lock.lock().unwrap(), value.lock().unwrap());
    let of_lock = lock.lock().unwrap_err();
    let of_value = value.lock().unwrap_err();
    (of_lock.to_string(), of_value.to_string())
}

/// It can be shown to any user.
fn assert_harmless(text: &str) {
    let harmful = |it: char| it.is_control() && !"\n\t".contains(it) || it == '\u{202e}';
    assert!(
        !text.contains(harmful),
        "{:?}",
        &text[..text.len().min(300)]
    );
    assert!(text.len() < 6000, "{} bytes", text.len());
}

fn errors_about_a_value_call_it_a_value() {
    let value = Value::new(5_u64).unwrap();
    let guard = value.lock().unwrap();
    let error = value.lock().unwrap_err();
    assert!(
        matches!(&error, Error::HeldAlready { what } if what == "a Value<u64>"),
        "{error}"
    );
    let waits = || value.lock_timeout(Duration::from_millis(1)).map(drop);
    let error = std::thread::scope(|scope| scope.spawn(waits).join().unwrap()).unwrap_err();
    assert!(
        matches!(&error, Error::LockTimeout { what, .. } if what == "a Value<u64>"),
        "{error}"
    );
    drop(guard);
    // Also where it arrives.
    let child = spawn(holds, (value, String::new())).unwrap();
    let (_, of_value) = child.join().unwrap();
    assert!(of_value.contains("a Value<u64>"), "{of_value}");
}

fn names_in_errors_are_escaped_and_shortened() {
    for name in ["with\0zero".to_owned(), strange(3 << 20)] {
        let start = Builder::new().name(&name).spawn(panics, (1,));
        let error = start.unwrap_err();
        assert!(matches!(&error, Error::Spawn { name: whole, .. } if *whole == name));
        assert_harmless(&error.to_string());

        let lock = Lock::named(&name).unwrap();
        let _guard = lock.lock().unwrap();
        assert_harmless(&lock.to_string());
        assert_harmless(&lock.lock().unwrap_err().to_string());
        assert_harmless(&RLock::named(&name).unwrap().to_string());

        let value = Value::new(0).unwrap();
        let (of_lock, _) = spawn(holds, (value, name)).unwrap().join().unwrap();
        assert_harmless(&of_lock);
        assert!(of_lock.contains("the lock '"), "{of_lock}");
    }
    let name = strange(100_000);
    let child = Builder::new().name(&name).spawn(panics, (1,)).unwrap();
    assert_eq!(child.name(), name);
    assert_harmless(&child.join().unwrap_err().to_string());
    let child = Builder::new()
        .name(&name)
        .spawn(shown_by_the_system, ())
        .unwrap();
    assert_eq!(child.join().unwrap(), "a?[2J??b\u{202e}long\n");
}

/// The error for a panic of a process of that name, in words.
fn panicked(name: &str, message: &str) -> String {
    let error = Error::Panicked {
        name: name.to_owned(),
        pid: 5,
        message: message.to_owned(),
        location: "here".to_owned(),
    };
    error.to_string()
}

/// What an error for a panic consists of.
fn shown(name: &str, message: &str) -> String {
    format!("process '{name}' (pid 5) panicked at here: {message}")
}

fn what_can_be_printed_is_not_escaped_and_the_rest_is_escaped_once() {
    for text in ["", "worker 1", "it's \"so\" \\ simple", "Ωμέγα 🦀"] {
        assert_eq!(panicked(text, text), shown(text, text));
    }
    let message = "left: 1\n\tright: 2";
    assert_eq!(panicked("", message), shown("", message));

    let escaped = "a\\0b\\n\\u{1b}[31m\\u{202e}";
    let name = "a\0b\n\x1b[31m\u{202e}";
    assert_eq!(panicked(name, escaped), shown(escaped, escaped));
    assert_eq!(panicked("", "\r\x1b[2J"), shown("", "\\r\\u{1b}[2J"));
}

fn long_names_are_shortened_between_characters_and_messages_are_whole() {
    let name = format!("{}… (2000 bytes)", "é".repeat(64));
    let message = "x".repeat(3 << 20);
    assert_eq!(
        panicked(&"é".repeat(1000), &message),
        shown(&name, &message)
    );
}

fn the_message_of_a_panic_is_escaped_where_it_is_shown() {
    let error = spawn(panics, (1000,)).unwrap().join().unwrap_err();
    assert!(matches!(&error, Error::Panicked { message, .. } if *message == strange(1000)));
    assert_harmless(&error.to_string());
    let error = Pool::new(1).unwrap().map(panics_for, [0]).unwrap_err();
    assert_harmless(&error.to_string());
}

fn with_strange_names() {
    init(tasks());
    let lock = Lock::named(&strange(1 << 20)).unwrap();
    drop(lock.lock().unwrap());
    let builder = Builder::new().name(strange(100_000));
    builder.spawn(panics, (1000,)).unwrap().join().unwrap_err();
}

fn names_are_escaped_and_shortened_in_all_that_is_printed() {
    let played = Scene::new("with_strange_names")
        .env("MULTIPROCESS_LOG", "trace")
        .env("RUST_BACKTRACE", "0")
        .play();
    assert!(played.status.success());
    for line in &played.err {
        assert_harmless(line);
    }
    let said = |what: &str| played.err.iter().any(|line| line.contains(what));
    assert!(said("panicked at") && said("process started") && said("made"));
}

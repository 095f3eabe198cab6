//! A panic in a child: an error for the parent, and one message on standard error.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;

use multiprocess::{Builder, Error, RegisteredTask, init, task};

use story::scene::{Played, Scene};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            with_a_text,
            with_a_formatted_text,
            with_another_payload,
            with_several_lines,
            in_a_thread,
            caught,
            passed_on,
            with_a_hook_of_its_own,
            of_a_child_of_a_child,
            in_a_worker_that_is_detached,
        ],
        story::named![
            a_panic_is_an_error_with_message_and_location_and_is_printed_once,
            a_formatted_message_arrives_whole,
            a_payload_without_a_message_is_still_a_panic,
            a_message_of_several_lines_arrives_whole,
            a_panic_in_a_thread_of_a_child_names_both_and_keeps_the_result,
            a_caught_panic_is_printed_and_keeps_the_result,
            a_panic_passed_on_from_a_thread_is_the_childs_panic,
            a_panic_hook_of_the_child_prints_instead,
            a_panic_of_a_childs_child_reaches_the_child,
            a_panic_is_printed_without_a_join_too,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(fails_with_a_text),
        task(fails_with),
        task(fails_with_a_number),
        task(fails_in_a_thread),
        task(fails_and_catches),
        task(fails_and_passes_it_on),
        task(fails_with_own_hook),
        task(has_a_child_that_fails),
    ]
}

fn fails_with_a_text() {
    panic!("out of cheese")
}

fn fails_with(text: String) -> u32 {
    panic!("out of {text}")
}

fn fails_with_a_number() {
    std::panic::panic_any(42_u64)
}

fn fails_in_a_thread() -> String {
    let thread = std::thread::Builder::new().name("helper".to_owned());
    let ended = thread.spawn(|| panic!("only the helper")).unwrap().join();
    assert!(ended.is_err());
    "the child continues".to_owned()
}

fn fails_and_catches() -> String {
    let caught = std::panic::catch_unwind(|| panic!("caught in time"));
    assert!(caught.is_err());
    "the child continues".to_owned()
}

fn fails_and_passes_it_on() {
    let thread = std::thread::spawn(|| panic!("from a thread"));
    let payload: Result<(), _> = thread.join();
    std::panic::resume_unwind(payload.unwrap_err());
}

fn fails_with_own_hook() {
    std::panic::set_hook(Box::new(|_| eprintln!("own message")));
    panic!("out of cheese")
}

fn has_a_child_that_fails() -> (String, String) {
    let child = Builder::new()
        .name("inner")
        .spawn(fails_with, ("milk".to_owned(),))
        .unwrap();
    match child.join().unwrap_err() {
        Error::Panicked { name, message, .. } => (name, message),
        other => panic!("another error: {other}"),
    }
}

/// What the parent received.
struct Received {
    message: String,
    place: String,
    pid: u32,
}

/// Runs the function in a process called `unlucky`, which must panic.
macro_rules! panic_of {
    ($function:ident, $args:expr) => {{
        init(tasks());
        let builder = Builder::new().name("unlucky");
        let mut child = builder.spawn($function, $args).unwrap();
        let error = child.join_timeout(story::LIMIT).unwrap_err();
        let words = error.to_string();
        let Error::Panicked {
            name,
            pid,
            message,
            location,
        } = error
        else {
            panic!("another error: {error}");
        };
        assert_eq!((name.as_str(), pid), ("unlucky", child.pid()));
        assert_eq!(child.exit_status().unwrap().code(), Some(101));
        assert!(
            words.contains("'unlucky'") && words.contains(&message),
            "{words}"
        );
        assert!(
            words.contains(&location) && words.contains(&pid.to_string()),
            "{words}"
        );
        Received {
            message,
            place: location,
            pid,
        }
    }};
}

/// Prints pid, location and message, after checking that the location is in this file.
fn report(received: &Received) {
    let place: Vec<&str> = received.place.rsplitn(3, ':').collect();
    assert!(place[2].ends_with("panics.rs"), "{}", received.place);
    println!("{} {} {}", received.pid, received.place, received.message);
}

fn play(scene: &str) -> Played {
    let played = Scene::new(scene).env("RUST_BACKTRACE", "0").play();
    assert!(played.status.success(), "{played:#?}");
    played
}

/// Returns the message that the child must have printed, from what its parent received.
fn expected(played: &Played) -> [String; 2] {
    let mut received = played.out[0].splitn(3, ' ');
    let (pid, place) = (received.next().unwrap(), received.next().unwrap());
    let first = format!("process 'unlucky' (pid {pid}) panicked at {place}:");
    [first, received.next().unwrap().to_owned()]
}

fn with_a_text() {
    let received = panic_of!(fails_with_a_text, ());
    assert_eq!(received.message, "out of cheese");
    report(&received);
}

fn a_panic_is_an_error_with_message_and_location_and_is_printed_once() {
    let played = play("with_a_text");
    assert_eq!(played.err, expected(&played));
}

fn with_a_formatted_text() {
    let received = panic_of!(fails_with, ("wine".to_owned(),));
    assert_eq!(received.message, "out of wine");
    report(&received);
}

fn a_formatted_message_arrives_whole() {
    let played = play("with_a_formatted_text");
    assert_eq!(played.err, expected(&played));
}

fn with_another_payload() {
    let received = panic_of!(fails_with_a_number, ());
    report(&received);
}

fn a_payload_without_a_message_is_still_a_panic() {
    let played = play("with_another_payload");
    assert_eq!(played.err, expected(&played));
}

fn with_several_lines() {
    let text = format!("{}\nand more", "words ".repeat(20_000));
    let received = panic_of!(fails_with, (text.clone(),));
    assert_eq!(received.message, format!("out of {text}"));
}

fn a_message_of_several_lines_arrives_whole() {
    let played = play("with_several_lines");
    assert_eq!(played.err.len(), 3);
    assert_eq!(played.err[2], "and more");
}

fn in_a_thread() {
    init(tasks());
    let child = Builder::new()
        .name("host")
        .spawn(fails_in_a_thread, ())
        .unwrap();
    println!("{}", child.pid());
    assert_eq!(child.join().unwrap(), "the child continues");
}

fn a_panic_in_a_thread_of_a_child_names_both_and_keeps_the_result() {
    let played = play("in_a_thread");
    let who = format!("thread 'helper' of process 'host' (pid {})", played.out[0]);
    assert_eq!(played.err.len(), 2, "{played:#?}");
    assert!(played.err[0].starts_with(&who), "{played:#?}");
    assert_eq!(played.err[1], "only the helper");
}

fn caught() {
    init(tasks());
    let child = Builder::new()
        .name("calm")
        .spawn(fails_and_catches, ())
        .unwrap();
    assert_eq!(child.join().unwrap(), "the child continues");
}

fn a_caught_panic_is_printed_and_keeps_the_result() {
    let played = play("caught");
    assert_eq!(played.err.len(), 2, "{played:#?}");
    assert!(played.err[0].contains("'calm'"), "{played:#?}");
}

fn passed_on() {
    let received = panic_of!(fails_and_passes_it_on, ());
    assert_eq!(received.message, "from a thread");
}

fn a_panic_passed_on_from_a_thread_is_the_childs_panic() {
    let played = play("passed_on");
    assert_eq!(played.err.len(), 2, "{played:#?}");
}

fn with_a_hook_of_its_own() {
    let received = panic_of!(fails_with_own_hook, ());
    assert_eq!(received.message, "out of cheese");
}

fn a_panic_hook_of_the_child_prints_instead() {
    let played = play("with_a_hook_of_its_own");
    assert_eq!(played.err, ["own message"]);
}

fn of_a_child_of_a_child() {
    init(tasks());
    let child = Builder::new().spawn(has_a_child_that_fails, ()).unwrap();
    let (name, message) = child.join().unwrap();
    assert_eq!((name.as_str(), message.as_str()), ("inner", "out of milk"));
}

fn a_panic_of_a_childs_child_reaches_the_child() {
    let played = play("of_a_child_of_a_child");
    assert_eq!(played.err.len(), 2, "{played:#?}");
    assert!(played.err[0].contains("'inner'"), "{played:#?}");
}

fn in_a_worker_that_is_detached() {
    init(tasks());
    drop(
        Builder::new()
            .name("alone")
            .spawn(fails_with_a_text, ())
            .unwrap(),
    );
}

fn a_panic_is_printed_without_a_join_too() {
    let played = play("in_a_worker_that_is_detached");
    assert_eq!(played.err.len(), 2, "{played:#?}");
    assert!(played.err[0].contains("'alone'"), "{played:#?}");
}

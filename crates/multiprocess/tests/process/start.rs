//! The start of a child: what a program has to do for it, and the error when it did not.

use crate::story;

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};

use multiprocess::{Builder, Error, RegisteredTask, init, spawn, task};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            without_init,
            init_in_the_parent_only,
            init_twice,
            another_list_in_the_child,
            a_function_that_is_not_in_the_list,
            a_forged_answer,
        ],
        story::named![
            a_function_that_was_not_registered_is_an_error_by_name_without_a_process,
            a_program_without_init_gets_one_clear_error,
            a_program_whose_children_skip_init_gets_an_error_and_no_storm,
            a_second_init_panics_with_the_reason,
            a_child_with_another_list_is_an_error_with_the_reason,
            a_child_mark_given_by_hand_is_refused,
            a_child_whose_parent_has_ended_ends,
            an_answer_that_says_it_is_huge_is_an_error,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(doubler), task(none)]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn none() {}

fn tripler(number: i64) -> i64 {
    3 * number
}

fn is_child() -> bool {
    std::env::args().nth_back(1).as_deref() == Some("--multiprocess-child")
}

fn a_function_that_is_not_in_the_list() {
    init(tasks());
    let before = proc::descriptors();
    let error = spawn(tripler, (5,)).unwrap_err();
    assert!(
        matches!(&error, Error::NotRegistered { function } if function.ends_with("::tripler")),
        "{error}"
    );
    assert!(error.to_string().contains("add `task(tripler)`"), "{error}");
    assert!(proc::children().is_empty());
    assert_eq!(proc::descriptors(), before);
    let error = Builder::new().name("x").spawn(tripler, (5,)).unwrap_err();
    assert!(matches!(error, Error::NotRegistered { .. }), "{error}");
    assert_eq!(spawn(doubler, (5,)).unwrap().join().unwrap(), 10);
}

fn a_function_that_was_not_registered_is_an_error_by_name_without_a_process() {
    Scene::new("a_function_that_is_not_in_the_list").succeed();
}

fn without_init() {
    println!("main runs");
    for _ in 0..3 {
        let error = spawn(doubler, (5,)).unwrap_err();
        assert!(matches!(error, Error::NotInitialized), "{error}");
        assert!(
            error.to_string().contains("`multiprocess::init`"),
            "{error}"
        );
    }
    assert!(proc::children().is_empty());
}

fn a_program_without_init_gets_one_clear_error() {
    assert_eq!(Scene::new("without_init").succeed(), ["main runs"]);
}

fn init_in_the_parent_only() {
    println!("main runs");
    if !is_child() {
        init(tasks());
    }
    // In the child this is an error, and starts nothing.
    let error = spawn(doubler, (5,))
        .and_then(multiprocess::JoinHandle::join)
        .unwrap_err();
    if is_child() {
        assert!(matches!(error, Error::NotInitialized), "{error}");
    } else {
        assert!(matches!(error, Error::NeverStarted { .. }), "{error}");
    }
}

fn a_program_whose_children_skip_init_gets_an_error_and_no_storm() {
    let lines = Scene::new("init_in_the_parent_only").succeed();
    assert_eq!(lines, ["main runs", "main runs"]);
}

fn init_twice() {
    init(tasks());
    init(tasks());
}

fn a_second_init_panics_with_the_reason() {
    let played = Scene::new("init_twice").play();
    assert_eq!(played.status.code(), Some(101));
    let words = played.err.concat();
    assert!(
        words.contains("multiprocess::init was called twice"),
        "{words}"
    );
}

fn another_list_in_the_child() {
    let mut list = tasks();
    if is_child() {
        match std::env::args().nth(2).as_deref() {
            Some("shorter") => drop(list.pop()),
            Some("turned") => list.reverse(),
            Some("longer") => list.push(task(tripler)),
            other => panic!("{other:?}"),
        }
    }
    init(list);
    for name in ["shorter", "turned", "longer"] {
        let error = Builder::new()
            .name(name)
            .spawn(doubler, (5,))
            .unwrap()
            .join()
            .unwrap_err();
        assert!(
            matches!(&error, Error::OtherProgram { name: of, function, .. }
                if of == name && function.ends_with("::doubler")),
            "{error}"
        );
    }
}

fn a_child_with_another_list_is_an_error_with_the_reason() {
    Scene::new("another_list_in_the_child").succeed();
}

/// Both the parent and the child: the child answers with the number of handles in a value and its length, and nothing
/// else.
fn a_forged_answer() {
    let expected = std::env::var("EXPECTED").unwrap();
    if is_child() {
        let stdin = std::io::stdin().as_fd().try_clone_to_owned();
        let mut socket = UnixStream::from(stdin.unwrap());
        let huge = 1_u64 << 32;
        let (handles, bytes) = match expected.as_str() {
            FILES_ARE_MISSING => (0, huge),
            _ => (u64::MAX, 8),
        };
        // The kind, and that no files come with it.
        let mut header = vec![4, 0, 0, 0, 0, 0, 0, 0];
        header.extend(handles.to_ne_bytes());
        header.extend(bytes.to_ne_bytes());
        socket.write_all(&header).unwrap();
        std::process::exit(0);
    }
    init(tasks());
    let error = spawn(doubler, (5,)).unwrap().join().unwrap_err();
    let error = error.to_string();
    assert!(error.contains(&expected), "{error}");
}

/// The error if a value is too long for a frame, but there is no file with it.
const FILES_ARE_MISSING: &str = "open files that travelled with a value are missing";

fn an_answer_that_says_it_is_huge_is_an_error() {
    for expected in [FILES_ARE_MISSING, "a value larger than memory"] {
        let scene = Scene::new("a_forged_answer");
        scene.env("EXPECTED", expected).succeed();
    }
}

/// This program, called as if it were a child.
fn by_hand() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--multiprocess-child", "Process-1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn a_child_mark_given_by_hand_is_refused() {
    for input in [Stdio::null(), Stdio::piped()] {
        let output = by_hand().stdin(input).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("--multiprocess-child"), "{words}");
        assert!(words.contains("don't pass it yourself"), "{words}");
        assert_eq!(words.lines().count(), 1);
        assert!(output.stdout.is_empty());
    }
}

fn a_child_whose_parent_has_ended_ends() {
    let (ours, childs) = UnixStream::pair().unwrap();
    drop(ours);
    let childs = Stdio::from(std::os::fd::OwnedFd::from(childs));
    let output = by_hand().stdin(childs).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

//! A child that ends itself: by its exit code, by a signal, or half, by closing what it needs.

use crate::story;

use std::process::ExitCode;

use multiprocess::{Builder, Error, RegisteredTask, Signal, init, spawn, task};

use story::proc;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![],
        story::named![
            a_child_that_exits_is_reported_with_its_code,
            a_child_that_exits_with_0_without_an_answer_is_an_error,
            a_child_that_aborts_is_reported_with_sigabrt,
            a_child_that_overflows_its_stack_is_reported_with_sigabrt,
            any_signal_is_reported_by_its_name,
            a_child_that_closes_its_standard_output_still_answers,
            a_child_that_closes_all_it_can_find_still_ends,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(exits),
        task(aborts),
        task(overflows),
        task(signals_itself),
        task(closes_standard_output),
        task(closes_everything),
    ]
}

fn exits(code: i32) -> i64 {
    std::process::exit(code)
}

fn a_child_that_exits_is_reported_with_its_code() {
    let mut child = Builder::new().name("leaver").spawn(exits, (3,)).unwrap();
    let error = child.join_timeout(story::LIMIT).unwrap_err();
    assert!(
        matches!(&error, Error::Exited { name, pid, code: 3 }
            if name == "leaver" && *pid == child.pid()),
        "{error}"
    );
    assert!(error.to_string().contains("exited with code 3"), "{error}");
    assert_eq!(child.exit_status().unwrap().code(), Some(3));
}

fn a_child_that_exits_with_0_without_an_answer_is_an_error() {
    let error = spawn(exits, (0,)).unwrap().join().unwrap_err();
    assert!(matches!(error, Error::Exited { code: 0, .. }), "{error}");
}

fn aborts() {
    std::process::abort();
}

fn a_child_that_aborts_is_reported_with_sigabrt() {
    let error = spawn(aborts, ()).unwrap().join().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Killed {
                signal: Signal(6),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("SIGABRT"), "{error}");
}

#[allow(unconditional_recursion, reason = "that is how it overflows")]
fn overflows(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 1000]);
    overflows(depth + 1) + std::hint::black_box(room)[500]
}

fn a_child_that_overflows_its_stack_is_reported_with_sigabrt() {
    let error = spawn(overflows, (0,)).unwrap().join().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Killed {
                signal: Signal(6),
                ..
            }
        ),
        "{error}"
    );
}

fn signals_itself(signal: i32) {
    let signal = rustix::process::Signal::from_named_raw(signal).unwrap();
    proc::send(std::process::id(), signal);
    story::a_minute();
}

fn any_signal_is_reported_by_its_name() {
    // Not those that a shell has its background jobs ignore.
    for (number, name) in [
        (10, "SIGUSR1"),
        (12, "SIGUSR2"),
        (14, "SIGALRM"),
        (15, "SIGTERM"),
    ] {
        let error = spawn(signals_itself, (number,))
            .unwrap()
            .join()
            .unwrap_err();
        assert!(
            matches!(error, Error::Killed { signal: Signal(ended_by), .. } if ended_by == number),
            "{error}"
        );
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn closes_standard_output() -> String {
    nix::unistd::close(1).unwrap();
    "still here".to_owned()
}

fn a_child_that_closes_its_standard_output_still_answers() {
    let child = spawn(closes_standard_output, ()).unwrap();
    assert_eq!(child.join().unwrap(), "still here");
}

fn closes_everything() -> String {
    for (descriptor, _) in proc::descriptors() {
        let _ = nix::unistd::close(i32::try_from(descriptor).unwrap());
    }
    "this is lost".to_owned()
}

fn a_child_that_closes_all_it_can_find_still_ends() {
    let mut child = spawn(closes_everything, ()).unwrap();
    let error = child.join_timeout(story::LIMIT).unwrap_err();
    // Rust itself aborts a debug build in which a descriptor was closed behind its owner's back.
    assert!(
        matches!(
            error,
            Error::Exited { .. }
                | Error::Killed {
                    signal: Signal(6),
                    ..
                }
        ),
        "{error}"
    );
}

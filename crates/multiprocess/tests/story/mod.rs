//! The code that the test programs share: the `main` that runs tests or a scene, and functions to observe processes.
//!
//! A test program uses the crate like any other program. Started with the name of a scene in its
//! environment, it is only that scene: a small program with its own `main`, which may forget `init`,
//! be killed, or count its descriptors while no other tests run.

#![allow(dead_code, reason = "each test program uses a part of this")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

pub(crate) mod forged;
pub(crate) mod hello;
pub(crate) mod left;
pub(crate) mod proc;
pub(crate) mod scene;
pub(crate) mod unread;
mod watchdog;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ipc_channel::TryRecvError;
use ipc_channel::ipc::IpcReceiver;
use libtest_mimic::{Arguments, Trial};
use serde::Serialize;
use serde::de::DeserializeOwned;

use scene::Scene;

/// A test or a scene, and its name.
pub(crate) type Named = (&'static str, fn());

/// Names functions after themselves.
macro_rules! named {
    ($($function:ident),* $(,)?) => {
        &[$((stringify!($function), $function as fn())),*]
    };
}
pub(crate) use named;

/// Longer than anything here takes, even on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Set for the second run of a test program, in which it uses the portable versions.
const PORTABLE: &str = "MULTIPROCESS_PORTABLE";

/// A test program that shares its file with others, and its name.
pub(crate) type Program = (&'static str, fn() -> ExitCode);

/// Names the `main` of modules after the modules.
#[allow(unused_macros, reason = "not all files have several programs")]
macro_rules! programs {
    ($($module:ident),* $(,)?) => {
        &[$((stringify!($module), $module::main as fn() -> std::process::ExitCode)),*]
    };
}
#[allow(unused_imports, reason = "not all files have several programs")]
pub(crate) use programs;

/// The variable with the program that this process is; its children inherit it, so they have the same `main`.
const PROGRAM: &str = "MULTIPROCESS_TEST_PROGRAM";

/// The `main` of a file with several test programs: runs each in its own process, one after the other.
///
/// They are in one file because that builds in a fraction of the time. The first argument can select one of them:
/// `cargo test -p multiprocess-tests --test process names`.
pub(crate) fn play_programs(programs: &[Program]) -> ExitCode {
    let find = |name: &str| programs.iter().find(|(known, _)| *known == name);
    if let Ok(name) = std::env::var(PROGRAM) {
        let program = find(&name).unwrap_or_else(|| panic!("there is no program {name}"));
        return program.1();
    }
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let requested = arguments.first().and_then(|name| find(name)).copied();
    if requested.is_some() {
        arguments.remove(0);
    }
    let mut failed = Vec::new();
    for &(name, _) in requested.as_ref().map_or(programs, std::slice::from_ref) {
        println!("\n     {name}");
        let mut command = std::process::Command::new("/proc/self/exe");
        command.args(&arguments).env(PROGRAM, name);
        let status = command.status().expect("the program starts");
        if !status.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("failed: {failed:?}");
    ExitCode::FAILURE
}

/// The `main` of a test program.
pub(crate) fn play(init: fn(), scenes: &[Named], tests: &[Named]) -> ExitCode {
    if let Some(name) = scene::requested() {
        let scene = scenes.iter().find(|(known, _)| *known == name);
        scene
            .unwrap_or_else(|| panic!("there is no scene {name}"))
            .1();
        return ExitCode::SUCCESS;
    }
    init();
    let mut trials = Vec::new();
    if !is_portable() {
        trials.push(trial(
            "everything_again_with_the_portable_twins",
            3 * LIMIT,
            everything_again,
        ));
    }
    trials.extend(tests.iter().map(|&(name, test)| trial(name, LIMIT, test)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Whether this is the second run, with the portable versions.
pub(crate) fn is_portable() -> bool {
    std::env::var_os(PORTABLE).is_some()
}

fn trial(name: &'static str, limit: Duration, test: fn()) -> Trial {
    Trial::test(name, move || {
        let _watched = watchdog::watch(name, limit);
        test();
        Ok(())
    })
}

fn everything_again() {
    Scene::everything()
        .env(PORTABLE, "1")
        .within(3 * LIMIT)
        .succeed();
}

/// Polls until a condition is true, which must happen.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT / 2, "{what}: timed out");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the next message, which must come.
pub(crate) fn next<T: Serialize + DeserializeOwned>(receiver: &IpcReceiver<T>) -> T {
    receiver
        .try_recv_timeout(LIMIT / 2)
        .expect("a message was promised")
}

/// Checks that the channel ends by itself, not by the limit, and without another message.
pub(crate) fn ends<T: Serialize + DeserializeOwned>(receiver: &IpcReceiver<T>) {
    match receiver.try_recv_timeout(LIMIT / 2) {
        Err(TryRecvError::IpcError(_)) => {}
        Err(TryRecvError::Empty) => panic!("the channel does not end"),
        Ok(_) => panic!("there is one more message"),
    }
}

/// Returns the name of a handle's shared memory, from its `Debug`.
pub(crate) fn memory_name(handle: &impl std::fmt::Debug) -> String {
    let text = format!("{handle:?}");
    let name = text
        .split("memory: ")
        .nth(1)
        .expect("its `Debug` names its memory");
    let name = name.split_whitespace().next().expect("it has a name");
    name.to_owned()
}

/// Runs for longer than any test, but not forever if everything else fails.
pub(crate) fn a_minute() {
    std::thread::sleep(LIMIT);
    std::process::exit(99);
}

/// Returns what was received, or `None` at the end; any other error fails the test.
pub(crate) fn unless_end<T>(received: multiprocess::Result<T>) -> Option<T> {
    match received {
        Err(error) if error.is_closed() => None,
        received => Some(received.unwrap()),
    }
}

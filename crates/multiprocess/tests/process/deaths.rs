//! A child that is killed, at any moment of its life, is reported by name, pid and signal.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcSender};
use multiprocess::{Builder, Error, RegisteredTask, Signal, init, spawn, task};
use serde::{Deserialize, Serialize, Serializer};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            a_program_that_waits_before_init,
            a_program_that_ends_before_init,
        ],
        story::named![
            a_child_killed_right_after_its_start_is_reported_by_name_and_signal,
            a_child_killed_at_any_moment_of_its_start_is_reported_by_name_and_signal,
            a_child_killed_before_it_reaches_init_is_reported_by_name_and_signal,
            a_child_that_ends_before_it_reaches_init_is_reported_as_never_started,
            a_child_killed_at_work_is_reported_by_name_and_signal,
            a_child_killed_while_it_packs_its_answer_is_reported_by_name_and_signal,
            a_child_killed_at_any_moment_of_a_large_answer_is_killed_or_has_answered,
            a_large_answer_that_is_not_taken_does_not_keep_the_child_alive,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(nap),
        task(working),
        task(suicidal),
        task(zeros),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn nap() {
    story::a_minute();
}

fn working(at_work: IpcSender<()>) {
    at_work.send(()).unwrap();
    story::a_minute();
}

/// Whatever dies here dies within a second or so; the limit is only that of the test.
#[track_caller]
fn assert_killed<R: std::fmt::Debug>(ended: Result<R, Error>, the_name: &str, the_pid: u32) {
    let error = ended.unwrap_err();
    assert!(
        matches!(&error, Error::Killed { name, pid, signal: Signal::KILL }
            if name == the_name && *pid == the_pid),
        "{error}"
    );
    let words = error.to_string();
    assert!(words.contains("SIGKILL"), "{words}");
    assert!(
        words.contains(the_name) && words.contains(&the_pid.to_string()),
        "{words}"
    );
}

fn a_child_killed_right_after_its_start_is_reported_by_name_and_signal() {
    for _ in 0..20 {
        let child = Builder::new().name("short life").spawn(nap, ()).unwrap();
        child.kill().unwrap();
        let pid = child.pid();
        assert_killed(child.join(), "short life", pid);
    }
}

fn a_child_killed_at_any_moment_of_its_start_is_reported_by_name_and_signal() {
    for step in 0..50 {
        let child = Builder::new().name("short life").spawn(nap, ()).unwrap();
        std::thread::sleep(Duration::from_micros(60 * step));
        // From outside, so the parent does not know.
        proc::kill(child.pid());
        let pid = child.pid();
        assert_killed(child.join(), "short life", pid);
    }
}

/// Both the parent and the child: the child says its pid and waits.
fn a_program_that_waits_before_init() {
    if std::env::args().nth(1).is_some() {
        println!("child: {}", proc::Known::of(std::process::id()));
        story::a_minute();
    }
    init(tasks());
    let child = Builder::new().name("held up").spawn(doubler, (5,)).unwrap();
    let pid = child.pid();
    assert_killed(child.join(), "held up", pid);
    println!("reported");
}

fn a_child_killed_before_it_reaches_init_is_reported_by_name_and_signal() {
    let mut scene = Scene::new("a_program_that_waits_before_init").start();
    let (_, child) = scene.introduced();
    child.kill();
    let played = scene.finish();
    assert!(played.status.success(), "{played:#?}");
    assert_eq!(played.out, ["reported"]);
}

fn a_program_that_ends_before_init() {
    if std::env::args().nth(1).is_some() {
        std::process::exit(5);
    }
    init(tasks());
    let child = Builder::new()
        .name("turned back")
        .spawn(doubler, (5,))
        .unwrap();
    let error = child.join().unwrap_err();
    assert!(
        matches!(&error, Error::NeverStarted { name, status, .. }
            if name == "turned back" && status.code() == Some(5)),
        "{error}"
    );
    assert!(
        error.to_string().contains("`multiprocess::init`"),
        "{error}"
    );
}

fn a_child_that_ends_before_it_reaches_init_is_reported_as_never_started() {
    Scene::new("a_program_that_ends_before_init").succeed();
}

fn a_child_killed_at_work_is_reported_by_name_and_signal() {
    let (at_work, signs) = ipc::channel().unwrap();
    let mut child = Builder::new()
        .name("worker 1")
        .spawn(working, (at_work,))
        .unwrap();
    story::next(&signs);
    assert!(child.is_alive());
    proc::kill(child.pid());
    let ended = child.join_timeout(story::LIMIT);
    assert_killed(ended, "worker 1", child.pid());
    assert_eq!(child.exit_status().unwrap().signal(), Some(9));
}

/// Kills its process half-way through being sent.
#[derive(Debug, Deserialize)]
struct Suicidal;

impl Serialize for Suicidal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        proc::kill(std::process::id());
        story::a_minute();
        serializer.serialize_unit_struct("Suicidal")
    }
}

fn suicidal() -> (Vec<u8>, Suicidal) {
    (vec![1; 100_000], Suicidal)
}

fn a_child_killed_while_it_packs_its_answer_is_reported_by_name_and_signal() {
    let child = spawn(suicidal, ()).unwrap();
    let (name, pid) = (child.name().to_owned(), child.pid());
    assert_killed(child.join(), &name, pid);
}

fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

fn a_child_killed_at_any_moment_of_a_large_answer_is_killed_or_has_answered() {
    const LENGTH: usize = 4 << 20;
    let start = Instant::now();
    assert_eq!(
        spawn(zeros, (LENGTH,)).unwrap().join().unwrap().len(),
        LENGTH
    );
    let life = start.elapsed();
    for step in 0..40 {
        let child = spawn(zeros, (LENGTH,)).unwrap();
        let (name, pid) = (child.name().to_owned(), child.pid());
        std::thread::sleep(life * step / 40);
        child.kill().unwrap();
        match child.join() {
            Ok(answer) => assert!(answer.len() == LENGTH && answer.iter().all(|&byte| byte == 0)),
            killed => assert_killed(killed, &name, pid),
        }
    }
}

fn a_large_answer_that_is_not_taken_does_not_keep_the_child_alive() {
    const LENGTH: usize = 80 << 20;
    let child = spawn(zeros, (LENGTH,)).unwrap();
    let known = proc::Known::of(child.pid());
    story::until("the child ends without a reader", || known.is_zombie());
    assert_eq!(child.join().unwrap().len(), LENGTH);
}

//! The end of a process takes care of its children, however it ends: daemons are ended, others waited for.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use ipc_channel::ipc::{self, IpcReceiver};
use multiprocess::{Builder, RegisteredTask, init, parent, spawn, task};
use serde::{Deserialize, Serialize};

use story::hello::{introduce, nap, refuse_sigterm, spin};
use story::proc::Known;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            a_main_that_returns,
            a_main_that_panics,
            a_main_that_exits_with_7,
            a_main_whose_daemon_refuses_sigterm,
            a_child_that_returns,
            a_child_that_panics,
            a_child_that_exits_with_7,
            a_main_whose_child_watches_it,
        ],
        story::named![
            at_the_end_of_main_daemons_end_and_others_are_awaited,
            at_a_panic_of_main_daemons_end_and_others_are_awaited,
            at_an_exit_from_main_the_same_happens_and_the_code_stays,
            a_daemon_that_refuses_sigterm_is_killed_at_the_end_of_main,
            at_the_return_of_a_child_the_same_happens_to_its_children,
            at_the_panic_of_a_child_the_same_happens_to_its_children,
            a_child_sees_whether_its_parent_is_alive,
            at_an_exit_of_a_child_the_same_happens_to_its_children,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(nap),
        task(spin),
        task(refuse_sigterm),
        task(worker),
        task(family),
        task(watches_its_parent),
    ]
}

/// Works for a while after its parent has dropped `end`, and reports whether the parent still waits.
fn worker(end: IpcReceiver<()>) {
    let parent = Known::of(parent().unwrap().pid());
    // Nothing is ever sent: this is the end of the parent's work.
    assert!(end.try_recv_timeout(story::LIMIT).is_err());
    std::thread::sleep(Duration::from_millis(100));
    println!("worker done, parent there: {}", parent.is_running());
}

/// Prints whether its parent is alive, until it is not.
fn watches_its_parent() {
    let parent = parent().unwrap();
    assert!(parent.is_alive());
    println!("alive");
    story::until("the parent is gone", || !parent.is_alive());
    println!("orphan");
}

fn a_main_whose_child_watches_it() {
    init(tasks());
    let _child = spawn(watches_its_parent, ()).unwrap();
    story::a_minute();
}

fn a_child_sees_whether_its_parent_is_alive() {
    let mut scene = Scene::new("a_main_whose_child_watches_it").start();
    assert_eq!(scene.line(), "alive");
    scene.kill();
    assert_eq!(scene.line(), "orphan");
}

/// How a process ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum End {
    Return,
    Panic,
    Exit,
}

/// Starts two daemons and a worker, introduces them, and ends.
fn family(end: End) {
    let (hello, hellos) = ipc::channel().unwrap();
    let daemon = |name| Builder::new().name(name).daemon(true);
    let _detached = daemon("sleeper").spawn(nap, (hello.clone(),)).unwrap();
    let _detached = daemon("spinner").spawn(spin, (hello,)).unwrap();
    introduce(&hellos, 2);
    let (work, works) = ipc::channel().unwrap();
    let _detached = spawn(worker, (works,)).unwrap();
    drop(work);
    match end {
        End::Return => {}
        End::Panic => panic!("the end of the family"),
        End::Exit => std::process::exit(7),
    }
}

fn a_main_that_returns() {
    init(tasks());
    family(End::Return);
}

fn a_main_that_panics() {
    init(tasks());
    family(End::Panic);
}

fn a_main_that_exits_with_7() {
    init(tasks());
    family(End::Exit);
}

/// A main process ends with this code, and so does its family.
fn family_ends(scene: &str, code: i32) {
    let mut scene = Scene::new(scene).start();
    let daemons = scene.introductions(2);
    let played = scene.finish();
    assert_eq!(played.status.code(), Some(code), "{played:#?}");
    assert_eq!(
        played.out,
        ["worker done, parent there: true"],
        "{played:#?}"
    );
    // They were waited for before the end.
    for (name, daemon) in daemons {
        assert!(!daemon.is_running(), "{name}");
    }
}

fn at_the_end_of_main_daemons_end_and_others_are_awaited() {
    family_ends("a_main_that_returns", 0);
}

fn at_a_panic_of_main_daemons_end_and_others_are_awaited() {
    family_ends("a_main_that_panics", 101);
}

fn at_an_exit_from_main_the_same_happens_and_the_code_stays() {
    family_ends("a_main_that_exits_with_7", 7);
}

fn a_main_whose_daemon_refuses_sigterm() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let builder = Builder::new().name("refuser").daemon(true);
    let _daemon = builder.spawn(refuse_sigterm, (hello,)).unwrap();
    introduce(&hellos, 1);
}

fn a_daemon_that_refuses_sigterm_is_killed_at_the_end_of_main() {
    let mut scene = Scene::new("a_main_whose_daemon_refuses_sigterm").start();
    let (_, daemon) = scene.introduced();
    let played = scene.finish();
    assert!(played.status.success(), "{played:#?}");
    assert!(!daemon.is_running());
}

/// Like `family_ends`, but for a child; the scene prints the child's exit code and lives on.
fn a_child_with_a_household(end: End) {
    init(tasks());
    let mut child = spawn(family, (end,)).unwrap();
    let _ = child.join_timeout(story::LIMIT);
    println!("exit code {}", child.exit_status().unwrap().code().unwrap());
    // A process that did not end with the child would run on.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn a_child_that_returns() {
    a_child_with_a_household(End::Return);
}

fn a_child_that_panics() {
    a_child_with_a_household(End::Panic);
}

fn a_child_that_exits_with_7() {
    a_child_with_a_household(End::Exit);
}

fn household_of_a_child_ends(scene: &str, code: i32) {
    let mut scene = Scene::new(scene).start();
    let daemons = scene.introductions(2);
    let rest = [scene.line(), scene.line()];
    let worker = "worker done, parent there: true".to_owned();
    assert_eq!(rest, [worker, format!("exit code {code}")]);
    Known::end(&daemons);
    assert!(scene.finish().status.success());
}

fn at_the_return_of_a_child_the_same_happens_to_its_children() {
    household_of_a_child_ends("a_child_that_returns", 0);
}

fn at_the_panic_of_a_child_the_same_happens_to_its_children() {
    household_of_a_child_ends("a_child_that_panics", 101);
}

fn at_an_exit_of_a_child_the_same_happens_to_its_children() {
    household_of_a_child_ends("a_child_that_exits_with_7", 7);
}

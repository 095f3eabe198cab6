//! Daemons end when their parent is gone, however it went.

mod story;

use std::process::ExitCode;
use std::time::Duration;

use ipc_channel::ipc;
use multiprocess::{Builder, RegisteredTask, init, task};

use story::hello::{Hello, introduce, nap, refuse_sigterm, spin};
use story::proc::{self, Known};
use story::scene::Scene;

fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            a_main_that_will_be_killed,
            a_main_that_is_killed_at_once,
            a_thread_that_ends,
        ],
        story::named![
            daemons_of_a_killed_parent_end_and_other_children_live_on,
            daemons_of_a_parent_killed_right_after_their_start_end,
            daemons_of_a_child_that_is_killed_end,
            a_daemon_outlives_the_thread_that_started_it,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(nap),
        task(spin),
        task(refuse_sigterm),
        task(has_a_daemon),
    ]
}

fn has_a_daemon(hello: Hello) {
    let builder = Builder::new().name("daemon of a daemon").daemon(true);
    let _daemon = builder.spawn(nap, (hello.clone(),)).unwrap();
    nap(hello);
}

fn a_main_that_will_be_killed() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let daemon = |name| Builder::new().name(name).daemon(true);
    let children = [
        daemon("sleeper").spawn(nap, (hello.clone(),)).unwrap(),
        daemon("spinner").spawn(spin, (hello.clone(),)).unwrap(),
        daemon("refuser")
            .spawn(refuse_sigterm, (hello.clone(),))
            .unwrap(),
        daemon("daemon")
            .spawn(has_a_daemon, (hello.clone(),))
            .unwrap(),
        Builder::new().name("other").spawn(nap, (hello,)).unwrap(),
    ];
    introduce(&hellos, children.len() + 1);
    story::a_minute();
}

fn daemons_of_a_killed_parent_end_and_other_children_live_on() {
    let mut scene = Scene::new("a_main_that_will_be_killed").start();
    let (others, daemons): (Vec<_>, Vec<_>) = scene
        .introductions(6)
        .into_iter()
        .partition(|(name, _)| name == "other");
    scene.kill();
    Known::end(&daemons);
    assert_eq!(daemons.len(), 5);
    let other = &others[0].1;
    assert!(other.is_running(), "{others:?}");
    other.kill();
}

fn a_main_that_is_killed_at_once() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let daemon = Builder::new().daemon(true).spawn(nap, (hello,)).unwrap();
    println!("daemon {}", daemon.pid());
    proc::kill(std::process::id());
    story::next(&hellos);
}

fn daemons_of_a_parent_killed_right_after_their_start_end() {
    for _ in 0..10 {
        let mut scene = Scene::new("a_main_that_is_killed_at_once").start();
        let line = scene.line();
        let pid: u32 = line.strip_prefix("daemon ").unwrap().parse().unwrap();
        // It may have ended before it can be looked at.
        let marked = || std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        story::until("the daemon ends", || {
            !marked().windows(12).any(|part| part == b"multiprocess")
        });
    }
}

fn daemons_of_a_child_that_is_killed_end() {
    let (hello, hellos) = ipc::channel().unwrap();
    let child = Builder::new()
        .name("killed")
        .spawn(has_a_daemon, (hello,))
        .unwrap();
    let both = [story::next(&hellos), story::next(&hellos)];
    let daemon = both
        .iter()
        .find(|(name, _)| name == "daemon of a daemon")
        .unwrap();
    let daemon = Known::of(daemon.1);
    child.kill().unwrap();
    assert!(child.join().is_err());
    story::until("the daemon of the child ends", || !daemon.is_running());
}

fn a_thread_that_ends() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let starter = std::thread::spawn(move || {
        let daemon = Builder::new().daemon(true);
        daemon.spawn(nap, (hello,)).unwrap()
    });
    let mut daemon = starter.join().unwrap();
    let (_, pid) = story::next(&hellos);
    // The signal that a death of the thread could send would have come by now.
    assert!(
        daemon
            .join_timeout(Duration::from_millis(100))
            .unwrap()
            .is_none()
    );
    assert!(Known::of(pid).is_running());
}

fn a_daemon_outlives_the_thread_that_started_it() {
    Scene::new("a_thread_that_ends").succeed();
}

//! Daemons end when their parent is gone, however it went.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::time::Duration;

use ipc_channel::ipc;
use multiprocess::{Barrier, Builder, Pool, RegisteredTask, current, init, spawn, task};

use story::hello::{Hello, introduce, nap, refuse_sigterm, spin};
use story::proc::{self, Known};
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            a_main_that_will_be_killed,
            a_main_that_is_killed_at_once,
            a_thread_that_ends,
            a_main_with_daemons_everywhere,
            a_main_whose_daemon_has_children,
            a_main_whose_pool_workers_have_children,
        ],
        story::named![
            daemons_of_a_killed_parent_end_and_other_children_live_on,
            daemons_of_a_parent_killed_right_after_their_start_end,
            daemons_of_a_child_that_is_killed_end,
            a_daemon_outlives_the_thread_that_started_it,
            stopped_daemons_and_workers_of_a_killed_parent_end,
            a_child_of_a_daemon_is_a_daemon_unless_its_builder_sets_it,
            an_orderly_end_ends_all_descendants_of_a_daemon,
            an_orderly_end_ends_the_children_of_pool_workers,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(nap),
        task(spin),
        task(refuse_sigterm),
        task(has_a_daemon),
        task(is_daemon),
        task(has_both_kinds),
        task(has_children),
        task(starts_a_child),
        task(sleeps),
        task(starts_a_sleeper),
        task(meets),
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
            .unwrap_err()
            .is_timeout()
    );
    assert!(Known::of(pid).is_running());
}

fn a_daemon_outlives_the_thread_that_started_it() {
    Scene::new("a_thread_that_ends").succeed();
}

/// Daemons started by the main thread, by one that has ended and by a daemon; and workers of pools.
fn a_main_with_daemons_everywhere() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let start = |name, hello: &Hello| {
        let daemon = Builder::new().name(name).daemon(true);
        daemon.spawn(nap, (hello.clone(),)).unwrap()
    };
    let _of_main = start("of main", &hello);
    let elsewhere = hello.clone();
    let thread = std::thread::spawn(move || {
        let of_thread = start("of a thread", &elsewhere);
        (of_thread, Pool::new(2).unwrap())
    });
    let (_of_thread, pool_of_thread) = thread.join().unwrap();
    let parent = Builder::new().name("daemon").daemon(true);
    let _parent = parent.spawn(has_a_daemon, (hello,)).unwrap();
    introduce(&hellos, 4);
    let pool = Pool::new(2).unwrap();
    for pid in pool
        .worker_pids()
        .into_iter()
        .chain(pool_of_thread.worker_pids())
    {
        println!("worker: {}", Known::of(pid));
    }
    // Each worker has to take part: so all of them have begun their work.
    for pool in [&pool, &pool_of_thread] {
        let barrier = Barrier::new(2).unwrap();
        let meetings = [(); 2].map(|()| pool.apply_async(meets, (barrier.clone(),)).unwrap());
        for meeting in meetings {
            meeting.get().unwrap();
        }
    }
    println!("at work");
    story::a_minute();
}

fn meets(barrier: Barrier) {
    barrier.wait().unwrap();
}

fn stopped_daemons_and_workers_of_a_killed_parent_end() {
    // The portable version has no signal from the system: there they end when they go on.
    if story::is_portable() {
        return;
    }
    let mut scene = Scene::new("a_main_with_daemons_everywhere").start();
    let all = scene.introductions(8);
    assert_eq!(scene.line(), "at work");
    for (_, process) in &all {
        proc::send(process.pid, rustix::process::Signal::STOP);
    }
    for (name, process) in &all {
        story::until(&format!("{name} is stopped"), || process.is_stopped());
    }
    scene.kill();
    Known::end(&all);
}

fn is_daemon() -> bool {
    current().is_daemon()
}

/// Whether its children are daemons: by default, and with either word of their builder.
fn has_both_kinds() -> [bool; 3] {
    let said = |daemon| Builder::new().daemon(daemon).spawn(is_daemon, ()).unwrap();
    let children = [spawn(is_daemon, ()).unwrap(), said(true), said(false)];
    children.map(|child| child.join().unwrap())
}

fn a_child_of_a_daemon_is_a_daemon_unless_its_builder_sets_it() {
    let children_of = |daemon| {
        let parent = Builder::new().daemon(daemon);
        parent.spawn(has_both_kinds, ()).unwrap().join().unwrap()
    };
    assert_eq!(children_of(true), [true, true, false]);
    assert_eq!(children_of(false), [false, true, false]);
}

/// Has a child that did not choose, one that is no daemon, and one that is started by that.
fn has_children(hello: Hello) {
    let plain = |name| Builder::new().name(name).daemon(false);
    let _child = Builder::new()
        .name("child of a daemon")
        .spawn(nap, (hello.clone(),))
        .unwrap();
    let _child = plain("no daemon").spawn(nap, (hello.clone(),)).unwrap();
    let _child = plain("starter")
        .spawn(starts_a_child, (hello.clone(),))
        .unwrap();
    nap(hello);
}

fn starts_a_child(hello: Hello) {
    let _child = Builder::new()
        .name("child of no daemon")
        .spawn(nap, (hello.clone(),))
        .unwrap();
    nap(hello);
}

fn a_main_whose_daemon_has_children() {
    init(tasks());
    let (hello, hellos) = ipc::channel().unwrap();
    let daemon = Builder::new().name("daemon").daemon(true);
    let _daemon = daemon.spawn(has_children, (hello,)).unwrap();
    introduce(&hellos, 5);
}

/// The scene ends, and everything that it has introduced.
fn all_end_with(scene: &str, count: usize) {
    let mut scene = Scene::new(scene).start();
    let all = scene.introductions(count);
    // Its output ends only when no process has it open any more.
    let played = scene.finish();
    assert!(played.status.success(), "{played:#?}");
    Known::end(&all);
}

fn an_orderly_end_ends_all_descendants_of_a_daemon() {
    all_end_with("a_main_whose_daemon_has_children", 5);
}

fn sleeps() {
    story::a_minute();
}

fn starts_a_sleeper() -> u32 {
    spawn(sleeps, ()).unwrap().pid()
}

fn a_main_whose_pool_workers_have_children() {
    init(tasks());
    let pool = Pool::new(2).unwrap();
    for _ in 0..2 {
        let pid = pool.apply(starts_a_sleeper, ()).unwrap();
        println!("sleeper: {}", Known::of(pid));
    }
}

fn an_orderly_end_ends_the_children_of_pool_workers() {
    all_end_with("a_main_whose_pool_workers_have_children", 2);
}

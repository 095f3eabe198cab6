//! Children that report when they are at work, and then have to be ended.

use std::time::Instant;

use ipc_channel::ipc::{IpcReceiver, IpcSender};
use multiprocess::current;

use super::LIMIT;
use super::proc::Known;

/// Receives name and pid of a process that has begun its work.
pub(crate) type Hello = IpcSender<(String, u32)>;

fn greet(hello: &Hello) {
    let this = current();
    hello.send((this.name().to_owned(), this.pid())).unwrap();
}

/// Sleeps.
pub(crate) fn nap(hello: Hello) {
    greet(&hello);
    super::a_minute();
}

/// Works without a break.
pub(crate) fn spin(hello: Hello) {
    greet(&hello);
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        std::hint::spin_loop();
    }
}

/// Sleeps, and ignores SIGTERM.
pub(crate) fn refuse_sigterm(hello: Hello) {
    signal_hook::flag::register(signal_hook::consts::SIGTERM, std::sync::Arc::default()).unwrap();
    nap(hello);
}

/// Prints each process that says hello.
pub(crate) fn introduce(hellos: &IpcReceiver<(String, u32)>, count: usize) {
    for _ in 0..count {
        let (name, pid) = super::next(hellos);
        println!("{name}: {}", Known::of(pid));
    }
}

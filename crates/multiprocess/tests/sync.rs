//! Locks, and what is built on them: they exclude each other, in threads and processes, and no death or stop makes one
//! unusable.

mod story;

mod sync {
    pub(crate) mod array;
    pub(crate) mod barrier;
    pub(crate) mod barrier_actions;
    pub(crate) mod condition;
    pub(crate) mod dead_holders;
    pub(crate) mod deadlock;
    pub(crate) mod event;
    pub(crate) mod lock;
    pub(crate) mod lock_kills;
    pub(crate) mod raw;
    pub(crate) mod rlock;
    pub(crate) mod semaphore;
    pub(crate) mod stopped;
    pub(crate) mod value;
}

use std::process::ExitCode;

use sync::{
    array, barrier, barrier_actions, condition, dead_holders, deadlock, event, lock, lock_kills,
    raw, rlock, semaphore, stopped, value,
};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        array,
        barrier,
        barrier_actions,
        condition,
        dead_holders,
        deadlock,
        event,
        lock,
        lock_kills,
        raw,
        rlock,
        semaphore,
        stopped,
        value
    ])
}

//! Copies that `fork` makes of a process: they begin a run of their own, and do not affect their original.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use super::runs::{adds, doubler, keeps_value, succeeded, tasks, use_everything, uses_everything};
use crate::story;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use multiprocess::{Error, Lock, Pool, Queue, RawValue, Semaphore, Value, channel, init, spawn};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use story::left::{check_in_use, files, use_again};
use story::memory_name;
use story::proc::Known;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            uses_everything,
            is_forked_and_ends,
            is_forked_and_goes_on,
            is_forked_with_a_pool,
            is_forked_and_sends,
            is_forked_and_puts,
            is_forked_and_drops,
        ],
        story::named![
            a_copy_by_fork_begins_again_when_its_original_has_ended,
            a_copy_by_fork_does_not_use_the_pool_of_its_original,
            a_copy_by_fork_takes_nothing_from_its_original,
            a_copy_by_fork_does_not_lock_what_its_original_has_sent,
            a_copy_by_fork_takes_no_turn_with_a_lock_that_it_shares,
            a_copy_by_fork_releases_no_slot_of_its_original_and_does_not_touch_its_later_ones,
        ],
    )
}

/// Returns the pid of the copy in the original, and `None` in the copy.
fn fork() -> Option<u32> {
    // No other thread of this process holds anything that the copy will ask for.
    match fork::fork().unwrap() {
        fork::Fork::Child => None,
        fork::Fork::Parent(pid) => Some(pid.cast_unsigned()),
    }
}

#[track_caller]
fn copy_succeeded(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed());
    assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, 0)));
}

fn is_forked_and_ends() {
    init(tasks());
    let value = Value::new(1_u64).unwrap();
    let (sender, receiver) = channel::<u64>().unwrap();
    let permits = Semaphore::new(1).unwrap();
    let original = std::process::id();
    if fork().is_some() {
        // At the end of the original its run is over.
        return;
    }
    story::until("the original has ended", || files(original).is_empty());
    let error = spawn(keeps_value, (value.clone(),)).unwrap_err();
    assert!(error.to_string().contains("copy made by `fork`"), "{error}");
    assert!(error.to_string().contains(&original.to_string()), "{error}");
    drop((value, sender, receiver, permits));
    use_everything();
    println!("copy {}", std::process::id());
}

fn a_copy_by_fork_begins_again_when_its_original_has_ended() {
    let played = Scene::new("is_forked_and_ends").play();
    succeeded(&played);
    let [line] = &played.out[..] else {
        panic!("{played:#?}");
    };
    let copy: u32 = line.strip_prefix("copy ").unwrap().parse().unwrap();
    story::until("the copy has left nothing", || files(copy).is_empty());
}

fn is_forked_with_a_pool() {
    init(tasks());
    let pool = Pool::new(1).unwrap();
    assert_eq!(pool.map(doubler, [1]).unwrap(), [2]);
    let Some(copy) = fork() else {
        let error = pool.map(doubler, [100]).unwrap_err();
        assert!(error.to_string().contains("copy made by `fork`"), "{error}");
        pool.close();
        pool.terminate();
        drop(pool);
        return;
    };
    copy_succeeded(copy);
    assert_eq!(pool.map(doubler, 0..100).unwrap().len(), 100);
    pool.join();
}

fn a_copy_by_fork_does_not_use_the_pool_of_its_original() {
    succeeded(&Scene::new("is_forked_with_a_pool").play());
}

fn is_forked_and_goes_on() {
    init(tasks());
    let value = Value::new(1_u64).unwrap();
    let (sender, receiver) = channel::<u64>().unwrap();
    let permits = Semaphore::new(1).unwrap();
    sender.send(6).unwrap();
    assert_eq!(receiver.recv().unwrap(), 6);
    let child = spawn(doubler, (4,)).unwrap();
    let known = Known::of(child.pid());
    story::until("the child has ended, and was not joined", || {
        !known.is_running()
    });
    let before = files(std::process::id());
    let Some(copy) = fork() else {
        let error = child.join().unwrap_err();
        assert!(error.to_string().contains("copy made by `fork`"), "{error}");
        assert!(multiprocess::active_children().is_empty());
        drop((value, sender, receiver, permits));
        drop(Lock::new().unwrap());
        return;
    };
    copy_succeeded(copy);
    assert_eq!(files(copy), Vec::<PathBuf>::new());
    assert_eq!(files(std::process::id()), before);
    assert_eq!(child.join().unwrap(), 8);
    assert_eq!(value.get().unwrap(), 1);
    sender.send(7).unwrap();
    assert_eq!(receiver.recv().unwrap(), 7);
    Scene::new("uses_everything").succeed();
    assert_eq!(files(std::process::id()), before);
    let queue = Queue::new().unwrap();
    let args = (value.clone(), Lock::new().unwrap(), permits, queue);
    spawn(adds, args).unwrap().join().unwrap();
    assert_eq!(value.get().unwrap(), 2);
}

fn a_copy_by_fork_takes_nothing_from_its_original() {
    succeeded(&Scene::new("is_forked_and_goes_on").play());
}

fn is_forked_and_sends() {
    init(tasks());
    let (value, queue) = (Value::new(1_u64).unwrap(), Queue::new().unwrap());
    let (mut copys_end, our_end) = UnixStream::pair().unwrap();
    let Some(copy) = fork() else {
        drop(our_end);
        // Until the original has received it, or has failed.
        let _ = copys_end.read(&mut [0]);
        return;
    };
    queue.put(value).unwrap();
    assert_eq!(queue.get().unwrap().get().unwrap(), 1);
    drop(our_end);
    copy_succeeded(copy);
}

fn a_copy_by_fork_does_not_lock_what_its_original_has_sent() {
    succeeded(&Scene::new("is_forked_and_sends").play());
}

fn is_forked_and_puts() {
    init(tasks());
    let queue = Queue::new().unwrap();
    queue.put(1).unwrap();
    let Some(copy) = fork() else {
        let put = queue.put(2);
        if story::is_portable() {
            // Original and copy share the open file that is the lock, so both would have it at once.
            let error = put.unwrap_err().to_string();
            assert!(error.contains("copy made by `fork`"), "{error}");
        }
        return;
    };
    copy_succeeded(copy);
    assert_eq!(queue.get().unwrap(), 1);
    drop(queue);
}

fn a_copy_by_fork_takes_no_turn_with_a_lock_that_it_shares() {
    succeeded(&Scene::new("is_forked_and_puts").play());
}

fn is_forked_and_drops() {
    init(tasks());
    let (lock, value) = (Lock::new().unwrap(), Value::new(1_u64).unwrap());
    let (queue, in_message) = (Queue::new().unwrap(), Value::new(2_u64).unwrap());
    let (dropped, raw_dropped) = (Value::new(3_u64).unwrap(), RawValue::new(3_u64).unwrap());
    let kept = [
        memory_name(&lock),
        memory_name(&value),
        memory_name(&queue),
        memory_name(&in_message),
    ];
    queue.put(in_message).unwrap();
    let guard = lock.lock().unwrap();
    let (mut copys_end, mut our_end) = UnixStream::pair().unwrap();
    let Some(copy) = fork() else {
        drop(our_end);
        let refused = |error: Error| assert!(error.to_string().contains("`fork`"), "{error}");
        refused(value.set(9).unwrap_err());
        refused(value.try_lock().map(drop).unwrap_err());
        refused(queue.put(value.clone()).unwrap_err().into_parts().1);
        refused(queue.try_get().map(drop).unwrap_err());
        drop((guard, value, queue));
        copys_end.write_all(b"1").unwrap();
        // Until the original has dropped something, and has something else in its place.
        copys_end.read_exact(&mut [0]).unwrap();
        refused(dropped.get().map(drop).unwrap_err());
        refused(dropped.set(9).unwrap_err());
        assert!(catch_unwind(AssertUnwindSafe(|| raw_dropped.set(9))).is_err());
        return;
    };
    drop(copys_end);
    our_end.read_exact(&mut [0]).unwrap();
    check_in_use(&kept);
    let try_lock = || lock.try_lock().map(drop).unwrap_err();
    let error = std::thread::scope(|scope| scope.spawn(try_lock).join().unwrap());
    assert!(error.is_would_block(), "{error}");
    drop(guard);
    drop(lock.try_lock().unwrap());
    assert_eq!(value.get().unwrap(), 1);
    assert_eq!(queue.try_get().unwrap().get().unwrap(), 2);
    let slots = [memory_name(&dropped), memory_name(&raw_dropped)];
    drop((dropped, raw_dropped));
    let later = use_again(&slots[0], || Value::new(4_u64).unwrap());
    let raw_later = use_again(&slots[1], || RawValue::new(4_u64).unwrap());
    our_end.write_all(b"2").unwrap();
    copy_succeeded(copy);
    check_in_use(&[memory_name(&later), memory_name(&raw_later)]);
    assert!(!later.try_lock().unwrap().holder_died());
    assert_eq!((later.get().unwrap(), raw_later.get()), (4, 4));
}

fn a_copy_by_fork_releases_no_slot_of_its_original_and_does_not_touch_its_later_ones() {
    succeeded(&Scene::new("is_forked_and_drops").play());
}

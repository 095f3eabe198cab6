//! Operations that must not wait, or only up to a limit, while another process is stopped at the worst instant.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use multiprocess::{
    Barrier, BrokenBy, Builder, Condition, Error, Event, JoinHandle, Lock, Queue, RLock,
    RegisteredTask, Semaphore, Task, Value, init, task,
};
use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use story::proc::{self, Known};

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        &[],
        story::named![
            a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_put,
            a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_get,
            a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_semaphore,
            a_limit_is_kept_beside_a_process_that_was_stopped_in_a_barrier,
            a_try_does_not_wait_beside_a_holder_that_was_stopped,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(puts),
        task(gets),
        task(takes_and_counts_permits),
        task(uses_the_barrier),
        task(holds_all),
    ]
}

/// A short limit.
const SOON: Duration = Duration::from_millis(20);

/// Starts a process that does not hold up the end of a test that has failed.
fn daemon<F, Args>(function: F, args: Args) -> JoinHandle<F::Output>
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    let daemon = Builder::new().daemon(true);
    daemon.spawn(function, args).unwrap()
}

/// Stops a process until the instant is one of those looked for.
fn stop_in_the_middle<R>(child: &JoinHandle<R>, mut is_the_instant: impl FnMut() -> bool) {
    let process = Known::of(child.pid());
    for attempt in 0..1000 {
        proc::send(child.pid(), Signal::STOP);
        story::until("it is stopped", || process.is_stopped());
        if is_the_instant() {
            return;
        }
        proc::send(child.pid(), Signal::CONT);
        std::thread::sleep(Duration::from_micros(attempt * 37 % 1500));
    }
    panic!("the process was never in the middle");
}

/// Does something that must not wait for the process that is stopped.
fn promptly<R: Send>(child: &JoinHandle<impl Sized>, work: impl FnOnce() -> R + Send) -> R {
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.send(work()));
        receiver
            .recv_timeout(story::LIMIT / 6)
            .unwrap_or_else(|error| {
                proc::send(child.pid(), Signal::CONT);
                panic!("it waits for the process that is stopped: {error}")
            })
    })
}

/// Continues the process, and kills it.
fn end<R>(child: JoinHandle<R>) {
    proc::send(child.pid(), Signal::CONT);
    child.kill().unwrap();
}

/// Copying it takes longer than all else that is done with it.
fn large() -> String {
    "x".repeat(1 << 20)
}

fn puts(queue: Queue<String>) {
    let item = large();
    loop {
        // It must not flood the queue.
        if queue.len() < 4 {
            queue.put(item.clone()).unwrap();
        }
    }
}

fn a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_put() {
    let queue = Queue::new().unwrap();
    let child = daemon(puts, (queue.clone(),));
    let item = String::from("ours");
    stop_in_the_middle(&child, || {
        while queue.try_get().is_ok() {}
        match queue.put_timeout(item.clone(), SOON) {
            Ok(()) => false,
            Err(error) => {
                assert!(matches!(error.error(), Error::Timeout { .. }), "{error}");
                true
            }
        }
    });
    for _ in 0..3 {
        let error = promptly(&child, || queue.try_put(item.clone())).unwrap_err();
        assert!(error.is_would_block(), "{error}");
        assert!(error.to_string().contains("in use"), "{error}");
        assert_eq!(error.into_inner(), "ours");
    }
    // Getting is not affected.
    let nothing = promptly(&child, || queue.try_get()).unwrap_err();
    assert!(matches!(nothing, Error::Empty { .. }), "{nothing}");
    proc::send(child.pid(), Signal::CONT);
    queue.put_timeout(item, story::LIMIT / 2).unwrap();
    end(child);
}

fn gets(queue: Queue<String>) {
    loop {
        queue.get().unwrap();
    }
}

fn a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_get() {
    let queue = Queue::new().unwrap();
    let child = daemon(gets, (queue.clone(),));
    for _ in 0..8 {
        queue.put(large()).unwrap();
    }
    stop_in_the_middle(&child, || {
        while queue.len() < 8 {
            // A get that finds the queue empty frees its memory, and blocks puts meanwhile.
            if queue.put_timeout(large(), SOON).is_err() {
                return false;
            }
        }
        match queue.get_timeout(SOON) {
            Ok(_) => false,
            Err(error) => {
                assert!(matches!(error, Error::Timeout { .. }), "{error}");
                true
            }
        }
    });
    for _ in 0..3 {
        assert!(!queue.is_empty());
        let error = promptly(&child, || queue.try_get()).unwrap_err();
        assert!(matches!(error, Error::Empty { .. }), "{error}");
        assert!(error.to_string().contains("in use"), "{error}");
    }
    // Putting is not affected.
    promptly(&child, || queue.try_put(large())).unwrap();
    proc::send(child.pid(), Signal::CONT);
    queue.put("last".to_owned()).unwrap();
    end(child);
}

fn takes_and_counts_permits(semaphore: Semaphore) {
    loop {
        drop(semaphore.try_acquire());
        semaphore.free().unwrap();
    }
}

fn a_try_does_not_wait_beside_a_process_that_was_stopped_in_a_semaphore() {
    let semaphore = Semaphore::new(2).unwrap();
    let child = daemon(takes_and_counts_permits, (semaphore.clone(),));
    let permits = [(); 2].map(|()| semaphore.acquire_timeout(story::LIMIT / 2).unwrap());
    // It looks for permits of dead processes just now, which only one can do.
    stop_in_the_middle(&child, || {
        promptly(&child, || match semaphore.acquire_timeout(SOON) {
            Err(Error::LockTimeout { .. }) => true,
            Err(Error::PermitTimeout { .. }) => false,
            other => panic!("{other:?}"),
        })
    });
    for _ in 0..3 {
        let none = promptly(&child, || semaphore.try_acquire()).unwrap_err();
        assert!(none.is_would_block(), "{none}");
    }
    // What is free can be taken all the same.
    promptly(&child, || drop(permits));
    for _ in 0..3 {
        drop(promptly(&child, || semaphore.try_acquire()).unwrap());
    }
    end(child);
    story::until("the permits are back", || semaphore.free().unwrap() == 2);
}

fn uses_the_barrier(barrier: Barrier) {
    loop {
        barrier.is_broken().unwrap();
        barrier.abort().unwrap();
        barrier.reset().unwrap();
    }
}

fn a_limit_is_kept_beside_a_process_that_was_stopped_in_a_barrier() {
    let barrier = Barrier::new(2).unwrap();
    let child = daemon(uses_the_barrier, (barrier.clone(),));
    // It has no instant that blocks another: this tries many.
    let mut instants = 0;
    stop_in_the_middle(&child, || {
        promptly(&child, || {
            barrier.reset().unwrap();
            let late = barrier.wait_timeout(SOON).unwrap_err();
            assert!(late.is_timeout(), "{late}");
            // It is broken for all, until it is reset.
            assert!(barrier.is_broken().unwrap());
            match barrier.wait().unwrap_err() {
                Error::BarrierBroken {
                    by: BrokenBy::Timeout(process),
                } => assert_eq!(process.pid, std::process::id()),
                other => panic!("{other}"),
            }
            barrier.reset().unwrap();
            assert!(!barrier.is_broken().unwrap());
        });
        instants += 1;
        instants == 50
    });
    end(child);
}

fn holds_all(lock: Lock, rlock: RLock, value: Value<u8>, condition: Condition, held: Event) {
    let _locks = (lock.lock().unwrap(), rlock.lock().unwrap());
    let _value = value.lock().unwrap();
    let _condition = condition.lock().unwrap();
    held.set();
    story::a_minute();
}

fn a_try_does_not_wait_beside_a_holder_that_was_stopped() {
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    let (value, condition) = (Value::new(0_u8).unwrap(), Condition::new().unwrap());
    let held = Event::new().unwrap();
    let args = (
        lock.clone(),
        rlock.clone(),
        value.clone(),
        condition.clone(),
        held.clone(),
    );
    let child = daemon(holds_all, args);
    held.wait();
    stop_in_the_middle(&child, || true);
    promptly(&child, || {
        assert!(lock.try_lock().unwrap_err().is_would_block());
        assert!(rlock.try_lock().unwrap_err().is_would_block());
        assert!(value.try_lock().unwrap_err().is_would_block());
        assert!(condition.try_lock().unwrap_err().is_would_block());
        assert!(lock.lock_timeout(SOON).is_err());
        assert!(rlock.lock_timeout(SOON).is_err());
        assert!(value.lock_timeout(SOON).is_err());
        assert!(condition.lock_timeout(SOON).is_err());
    });
    end(child);
    assert!(lock.lock_timeout(story::LIMIT / 2).is_ok());
}

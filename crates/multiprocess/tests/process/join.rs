//! What a handle reports about its process, and what it does to it.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{
    Builder, Error, JoinHandle, Receiver, RegisteredTask, Sender, Signal, Waitable, channel, init,
    spawn, task, wait, wait_timeout,
};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            a_program_that_is_interrupted_while_it_joins,
            a_program_that_ignores_sigchld,
            asks_again_and_again,
        ],
        story::named![
            a_join_with_a_limit_can_be_called_again,
            a_join_without_an_end_to_its_limit_waits_for_the_end,
            an_answer_is_given_once,
            an_error_is_given_once_too,
            terminate_ends_with_sigterm,
            kill_ends_with_sigkill_also_what_refuses_sigterm,
            ending_what_has_ended_does_nothing,
            alive_and_exit_status_follow_the_process,
            a_finished_child_keeps_its_answer_for_a_late_join,
            a_handle_can_be_joined_on_another_thread,
            a_handle_shows_its_process,
            signals_that_interrupt_a_join_do_not_reach_the_caller,
            a_program_that_ignores_sigchld_gets_its_answers,
            a_wait_for_several_wakes_at_the_end_of_a_process,
            several_threads_wait_for_one_process,
            a_process_and_its_messages_are_waited_for_together,
            terminating_a_child_again_and_again_does_not_block_waiting_for_others,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(nap),
        task(wait_for_word),
        task(refuses_sigterm),
        task(exits),
        task(sends_and_waits),
        task(interrupts_parent),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn nap() {
    story::a_minute();
}

fn exits(code: i32) -> i64 {
    std::process::exit(code)
}

fn wait_for_word(word: IpcReceiver<String>) -> String {
    story::next(&word)
}

fn refuses_sigterm(ready: IpcSender<()>) {
    signal_hook::flag::register(signal_hook::consts::SIGTERM, std::sync::Arc::default()).unwrap();
    ready.send(()).unwrap();
    story::a_minute();
}

fn a_join_with_a_limit_can_be_called_again() {
    let (word, words) = ipc::channel().unwrap();
    let mut child = spawn(wait_for_word, (words,)).unwrap();
    assert!(child.join_timeout(Duration::ZERO).unwrap_err().is_timeout());
    assert!(
        child
            .join_timeout(Duration::from_nanos(1))
            .unwrap_err()
            .is_timeout()
    );
    let start = Instant::now();
    assert!(
        child
            .join_timeout(Duration::from_millis(50))
            .unwrap_err()
            .is_timeout()
    );
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert!(child.is_alive());
    word.send("done".to_owned()).unwrap();
    let answer = child.join_timeout(story::LIMIT).unwrap();
    assert_eq!(answer, "done");
}

fn a_join_without_an_end_to_its_limit_waits_for_the_end() {
    let mut child = spawn(doubler, (4,)).unwrap();
    assert_eq!(child.join_timeout(Duration::MAX).unwrap(), 8);
}

fn an_answer_is_given_once() {
    let mut child = Builder::new().name("once").spawn(doubler, (4,)).unwrap();
    assert_eq!(child.join_timeout(story::LIMIT).unwrap(), 8);
    let again = child.join_timeout(Duration::ZERO).unwrap_err();
    assert!(
        matches!(&again, Error::AlreadyJoined { name } if name == "once"),
        "{again}"
    );
    let again = child.join().unwrap_err();
    assert!(
        matches!(&again, Error::AlreadyJoined { name } if name == "once"),
        "{again}"
    );
}

fn an_error_is_given_once_too() {
    let mut child = spawn(exits, (3,)).unwrap();
    let first = child.join_timeout(story::LIMIT).unwrap_err();
    assert!(matches!(first, Error::Exited { code: 3, .. }), "{first}");
    let again = child.join().unwrap_err();
    assert!(matches!(again, Error::AlreadyJoined { .. }), "{again}");
}

fn terminate_ends_with_sigterm() {
    let child = spawn(nap, ()).unwrap();
    child.terminate().unwrap();
    let error = child.join().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Killed {
                signal: Signal::TERM,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("SIGTERM"), "{error}");
}

fn kill_ends_with_sigkill_also_what_refuses_sigterm() {
    let (ready, signs) = ipc::channel().unwrap();
    let mut child = spawn(refuses_sigterm, (ready,)).unwrap();
    story::next(&signs);
    child.terminate().unwrap();
    assert!(
        child
            .join_timeout(Duration::from_millis(20))
            .unwrap_err()
            .is_timeout()
    );
    child.kill().unwrap();
    let error = child.join().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Killed {
                signal: Signal::KILL,
                ..
            }
        ),
        "{error}"
    );
}

fn ending_what_has_ended_does_nothing() {
    let mut child = spawn(doubler, (4,)).unwrap();
    let known = proc::Known::of(child.pid());
    story::until("the child ends", || !known.is_running());
    // It was not yet waited for, so its pid is still its own.
    child.terminate().unwrap();
    child.kill().unwrap();
    assert_eq!(child.join_timeout(story::LIMIT).unwrap(), 8);
    // Now its pid may be reused.
    child.kill().unwrap();
    child.terminate().unwrap();
    assert!(child.exit_status().unwrap().success());
}

fn alive_and_exit_status_follow_the_process() {
    let (word, words) = ipc::channel().unwrap();
    let child = spawn(wait_for_word, (words,)).unwrap();
    assert!(child.is_alive());
    assert_eq!(child.exit_status(), None);
    word.send("end".to_owned()).unwrap();
    story::until("the child ends", || !child.is_alive());
    assert_eq!(child.exit_status().unwrap().code(), Some(0));

    let child = spawn(nap, ()).unwrap();
    child.kill().unwrap();
    story::until("the child has a status", || child.exit_status().is_some());
    assert!(!child.is_alive());
    assert_eq!(child.exit_status().unwrap().signal(), Some(9));
}

fn a_finished_child_keeps_its_answer_for_a_late_join() {
    let child = spawn(doubler, (21,)).unwrap();
    story::until("the child ends", || !child.is_alive());
    // Reaped by that, and gone from the list.
    let running = multiprocess::active_children();
    assert!(running.iter().all(|other| other.pid() != child.pid()));
    assert_eq!(child.join().unwrap(), 42);
}

fn a_handle_can_be_joined_on_another_thread() {
    fn movable<T: Send + Sync>(value: T) -> T {
        value
    }
    let child: JoinHandle<i64> = movable(spawn(doubler, (21,)).unwrap());
    let joiner = std::thread::spawn(move || child.join());
    assert_eq!(joiner.join().unwrap().unwrap(), 42);
}

fn a_handle_shows_its_process() {
    let child = Builder::new()
        .name("shown")
        .daemon(true)
        .spawn(nap, ())
        .unwrap();
    assert!(child.is_daemon());
    let shown = format!("{child:?}");
    assert!(
        shown.contains("shown") && shown.contains(&child.pid().to_string()),
        "{shown}"
    );
    child.kill().unwrap();
}

fn a_wait_for_several_wakes_at_the_end_of_a_process() {
    let slow = spawn(nap, ()).unwrap();
    let killed = spawn(nap, ()).unwrap();
    let several: [&dyn Waitable; 2] = [&slow, &killed];
    let early = wait_timeout(&several, Duration::from_millis(50));
    assert!(early.unwrap_err().is_timeout());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&several));
        std::thread::sleep(Duration::from_millis(50));
        killed.kill().unwrap();
        assert_eq!(waiting.join().unwrap(), [1]);
    });
    // It stays so, also when it has been reaped.
    assert_eq!(wait(&several), [1]);
    slow.kill().unwrap();
    assert!(slow.join().is_err());
    assert!(killed.join().is_err());
}

fn several_threads_wait_for_one_process() {
    let child = spawn(nap, ()).unwrap();
    std::thread::scope(|scope| {
        let waiting = [(); 4].map(|()| scope.spawn(|| wait(&[&child])));
        std::thread::sleep(Duration::from_millis(50));
        child.kill().unwrap();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), [0]);
        }
    });
    assert!(child.join().is_err());
}

fn sends_and_waits(words: Sender<u32>, word: Receiver<()>) -> u32 {
    words.send(1).unwrap();
    // It ends by the parent's word.
    assert!(word.recv().unwrap_err().is_closed());
    2
}

fn a_process_and_its_messages_are_waited_for_together() {
    let (sender, words) = channel().unwrap();
    let (end, word) = channel::<()>().unwrap();
    let child = spawn(sends_and_waits, (sender, word)).unwrap();
    let several: [&dyn Waitable; 2] = [&child, &words];
    assert_eq!(wait(&several), [1]);
    assert_eq!(words.recv().unwrap(), 1);
    drop(end);
    // Its death ends its messages, too.
    story::until("both are seen", || wait(&several) == [0, 1]);
    assert_eq!(child.join().unwrap(), 2);
}

fn interrupts_parent(times: u32) -> u32 {
    let parent = multiprocess::parent().unwrap();
    for _ in 0..times {
        proc::send(parent.pid(), rustix::process::Signal::USR1);
        std::thread::sleep(Duration::from_micros(100));
    }
    times
}

fn a_program_that_is_interrupted_while_it_joins() {
    init(tasks());
    let interrupted = std::sync::Arc::default();
    signal_hook::flag::register(
        signal_hook::consts::SIGUSR1,
        std::sync::Arc::clone(&interrupted),
    )
    .unwrap();
    let one = spawn(interrupts_parent, (500,)).unwrap();
    // Starts and joins under fire.
    for number in 0..20 {
        assert_eq!(
            spawn(doubler, (number,)).unwrap().join().unwrap(),
            2 * number
        );
    }
    assert_eq!(one.join().unwrap(), 500);
    assert!(interrupted.load(std::sync::atomic::Ordering::Relaxed));
}

fn signals_that_interrupt_a_join_do_not_reach_the_caller() {
    Scene::new("a_program_that_is_interrupted_while_it_joins").succeed();
}

/// The system reaps the children of such a program itself, and their status is lost; their answers are not.
fn a_program_that_ignores_sigchld() {
    init(tasks());
    let descriptors = story::proc::descriptors().len();
    for number in 0..10 {
        assert_eq!(
            spawn(doubler, (number,)).unwrap().join().unwrap(),
            2 * number
        );
    }
    assert_eq!(story::proc::descriptors().len(), descriptors);
    let detached = spawn(doubler, (4,)).unwrap();
    drop(detached);
}

fn a_program_that_ignores_sigchld_gets_its_answers() {
    Scene::by_shell(
        "exec env --ignore-signal=CHLD \"$PROGRAM\"",
        "a_program_that_ignores_sigchld",
    )
    .succeed();
}

fn asks_again_and_again() {
    init(tasks());
    let stopped = spawn(nap, ()).unwrap();
    let process = story::proc::Known::of(stopped.pid());
    story::proc::send(stopped.pid(), rustix::process::Signal::STOP);
    // Only then signals wait for it to go on.
    story::until("it is stopped", || process.is_stopped());
    // Far more often than this program may have files open.
    for _ in 0..300 {
        stopped.terminate().unwrap();
    }
    drop(spawn(doubler, (4,)).unwrap());
    story::until("the other child is waited for", || {
        story::proc::children().len() == 1
    });
    stopped.kill().unwrap();
    stopped.join().unwrap_err();
}

fn terminating_a_child_again_and_again_does_not_block_waiting_for_others() {
    Scene::by_shell("ulimit -n 100; exec \"$PROGRAM\"", "asks_again_and_again").succeed();
}

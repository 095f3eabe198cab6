//! A program that lets others have the exit status of its children: SIGCHLD is ignored, or something waits for any
//! child.

use crate::story;

use std::process::ExitCode;

use multiprocess::{Builder, Error, Pool, RegisteredTask, TaskFailure, init, spawn, task};
use rustix::process::{WaitOptions, wait};

use story::proc;
use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![ignores_sigchld, waits_for_any_child],
        story::named![
            a_program_that_ignores_sigchld_works_and_never_gets_code_0,
            an_exit_status_that_something_else_took_is_not_known,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(doubler),
        task(exits),
        task(panics),
        task(dies_at),
        task(sleeps),
    ]
}

fn doubler(number: i64) -> i64 {
    2 * number
}

fn exits(code: i32) -> i64 {
    std::process::exit(code)
}

fn panics() {
    panic!("on purpose");
}

fn sleeps() {
    story::a_minute();
}

fn dies_at(number: u32) -> u32 {
    if number == 7 {
        proc::kill(std::process::id());
    }
    number
}

fn ignores_sigchld() {
    init(tasks());
    assert_eq!(spawn(doubler, (5,)).unwrap().join().unwrap(), 10);
    assert!(matches!(
        spawn(panics, ()).unwrap().join(),
        Err(Error::Panicked { .. })
    ));

    let mut leaver = Builder::new().name("leaver").spawn(exits, (3,)).unwrap();
    let error = leaver.join_timeout(story::LIMIT).unwrap_err();
    assert!(
        matches!(&error, Error::EndUnknown { name, pid } if name == "leaver" && *pid == leaver.pid()),
        "{error}"
    );
    assert!(error.to_string().contains("SIGCHLD"), "{error}");
    assert_eq!(leaver.exit_status(), None);
    assert!(!leaver.is_alive());

    let mut sleeper = spawn(sleeps, ()).unwrap();
    sleeper.kill().unwrap();
    let error = sleeper.join_timeout(story::LIMIT).unwrap_err();
    assert!(matches!(error, Error::EndUnknown { .. }), "{error}");
    sleeper.kill().unwrap();
    sleeper.terminate().unwrap();

    // A program that cannot be started is an error as well.
    let error = Builder::new().name("with\0zero").spawn(doubler, (1,));
    assert!(matches!(error, Err(Error::Spawn { .. })));
    let error = Builder::new()
        .name("too long ".repeat(1 << 20))
        .spawn(doubler, (1,));
    assert!(matches!(error, Err(Error::Spawn { .. })));

    let pool = Pool::new(2).unwrap();
    for _ in 0..5 {
        let results = pool.chunk_size(1).map_each(dies_at, 0..10).unwrap();
        for (number, result) in (0..).zip(results) {
            match result {
                Ok(same) => assert_eq!(same, number),
                Err(Error::Task {
                    failure: TaskFailure::WorkerDied { how } | TaskFailure::Lost { how },
                    ..
                }) => assert!(how.contains("its exit status is unknown"), "{how}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
    drop(pool);
    assert_eq!(spawn(doubler, (6,)).unwrap().join().unwrap(), 12);

    // At the end this daemon is ended, and this child is waited for.
    let _daemon = Builder::new().daemon(true).spawn(sleeps, ()).unwrap();
    let _child = spawn(doubler, (7,)).unwrap();
}

fn a_program_that_ignores_sigchld_works_and_never_gets_code_0() {
    let script = "exec env --ignore-signal=CHLD \"$PROGRAM\"";
    Scene::by_shell(script, "ignores_sigchld").succeed();
}

fn waits_for_any_child() {
    init(tasks());
    for code in [0, 3] {
        let mut leaver = spawn(exits, (code,)).unwrap();
        let (pid, _) = wait(WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(pid.as_raw_nonzero().get().unsigned_abs(), leaver.pid());
        let error = leaver.join_timeout(story::LIMIT).unwrap_err();
        assert!(matches!(error, Error::EndUnknown { .. }), "{error}");
        assert_eq!(leaver.exit_status(), None);
        leaver.kill().unwrap();
    }
    // What its function returned is known all the same.
    let child = spawn(doubler, (5,)).unwrap();
    wait(WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(child.join().unwrap(), 10);
}

fn an_exit_status_that_something_else_took_is_not_known() {
    Scene::new("waits_for_any_child").succeed();
}

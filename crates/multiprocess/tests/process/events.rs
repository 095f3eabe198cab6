//! Events: printed on request, emitted to the program's own subscriber if it has one, and never in the way.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use multiprocess::{Queue, RegisteredTask, Value, init, spawn, task};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![
            works_a_little,
            leaves_a_child_behind,
            listens_itself,
            joins_many,
            joins_with_standard_error_closed
        ],
        story::named![
            nothing_is_printed_by_default,
            the_events_of_every_process_are_printed_with_its_name,
            an_unknown_level_is_named,
            a_program_can_exit_while_a_child_runs_and_events_are_printed,
            a_closed_standard_error_stops_nothing,
            events_that_wait_to_be_printed_hold_up_no_join,
            a_complaint_that_cannot_be_printed_stops_nothing,
            a_program_may_have_a_subscriber_of_its_own,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(add), task(nap)]
}

fn add(value: Value<i64>, queue: Queue<i64>) {
    *value.lock().expect("it can be locked") += 1;
    queue.put(1).expect("it is open");
}

fn nap() {
    std::thread::sleep(Duration::from_millis(200));
}

fn works_a_little() {
    init(tasks());
    let (value, queue) = (Value::new(0).unwrap(), Queue::new().unwrap());
    spawn(add, (value.clone(), queue.clone()))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!((value.get().unwrap(), queue.get().unwrap()), (1, 1));
}

fn nothing_is_printed_by_default() {
    let played = Scene::new("works_a_little").play();
    assert!(
        played.status.success() && played.err.is_empty(),
        "{played:#?}"
    );
}

fn the_events_of_every_process_are_printed_with_its_name() {
    let played = Scene::new("works_a_little")
        .env("MULTIPROCESS_LOG", "trace")
        .play();
    assert!(played.status.success(), "{played:#?}");
    let said = |who: &str, what: &str| {
        played
            .err
            .iter()
            .any(|line| line.contains(who) && line.contains(what))
    };
    for what in ["process started", "process ended", "got"] {
        assert!(said("/MainProcess ", what), "{what}: {played:#?}");
    }
    for what in [
        "task begins",
        "lock awaited",
        "lock held",
        "lock released",
        "put",
        "task ends",
    ] {
        assert!(said("/Process-1 ", what), "{what}: {played:#?}");
    }
    let quieter = Scene::new("works_a_little")
        .env("MULTIPROCESS_LOG", "info")
        .play();
    assert_eq!(quieter.err.len(), 2, "{quieter:#?}");
}

fn an_unknown_level_is_named() {
    let played = Scene::new("works_a_little")
        .env("MULTIPROCESS_LOG", "loud")
        .play();
    assert!(played.status.success(), "{played:#?}");
    assert!(
        played.err[0].contains("MULTIPROCESS_LOG=loud is not a known level"),
        "{played:#?}"
    );
}

fn leaves_a_child_behind() {
    init(tasks());
    let _child = std::mem::ManuallyDrop::new(spawn(nap, ()).unwrap());
    std::process::exit(0);
}

fn a_program_can_exit_while_a_child_runs_and_events_are_printed() {
    let played = Scene::new("leaves_a_child_behind")
        .env("MULTIPROCESS_LOG", "info")
        .play();
    assert_eq!(played.status.code(), Some(0), "{played:#?}");
    assert!(
        played.err.iter().any(|line| line.contains("process ended")),
        "{played:#?}"
    );
}

fn joins_many() {
    init(tasks());
    for _ in 0..3 {
        let (value, queue) = (Value::new(0).unwrap(), Queue::new().unwrap());
        spawn(add, (value.clone(), queue)).unwrap().join().unwrap();
        assert_eq!(value.get().unwrap(), 1);
    }
    println!("all joined");
}

fn joins_with_standard_error_closed() {
    init(tasks());
    let (value, queue) = (Value::new(0).unwrap(), Queue::new().unwrap());
    let alone = std::io::stderr().lock();
    for _ in 0..20 {
        let child = spawn(add, (value.clone(), queue.clone())).unwrap();
        child.join().unwrap();
    }
    drop(alone);
    assert_eq!(value.get().unwrap(), 20);
}

fn events_that_wait_to_be_printed_hold_up_no_join() {
    let played = Scene::new("joins_with_standard_error_closed")
        .env("MULTIPROCESS_LOG", "info")
        .play();
    assert!(played.status.success(), "{played:#?}");
    let ended = played
        .err
        .iter()
        .filter(|line| line.contains("process ended"));
    assert_eq!(ended.count(), 20, "{played:#?}");
}

fn a_closed_standard_error_stops_nothing() {
    // The reader of standard error ends at once; what is written there afterwards fails.
    let script = r#"{ "$PROGRAM" 2>&1 >&3 | true; } 3>&1"#;
    let scene = Scene::by_shell(script, "joins_many").env("MULTIPROCESS_LOG", "trace");
    assert_eq!(scene.succeed(), ["all joined"]);
}

fn a_complaint_that_cannot_be_printed_stops_nothing() {
    let scene = Scene::by_shell(r#"exec "$PROGRAM" 2>/dev/full"#, "joins_many");
    let scene = scene.env("MULTIPROCESS_LOG", "loud");
    let scene = scene.env("MULTIPROCESS_RECORD", "/dev/null/no folder");
    assert_eq!(scene.succeed(), ["all joined"]);
}

/// A listener that counts.
struct Counter;

static COUNT: Mutex<u32> = Mutex::new(0);

impl tracing::Subscriber for Counter {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "multiprocess"
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        *COUNT.lock().unwrap() += 1;
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

fn listens_itself() {
    init(tasks());
    tracing::subscriber::set_global_default(Counter).expect("the program's own is the first");
    let value = Value::new(0_i64).unwrap();
    let before = *COUNT.lock().unwrap();
    *value.lock().unwrap() += 1;
    assert_eq!(*COUNT.lock().unwrap() - before, 3);
    std::io::stdout().flush().unwrap();
}

fn a_program_may_have_a_subscriber_of_its_own() {
    let played = Scene::new("listens_itself")
        .env("MULTIPROCESS_LOG", "trace")
        .play();
    assert!(
        played.status.success() && played.err.is_empty(),
        "{played:#?}"
    );
}

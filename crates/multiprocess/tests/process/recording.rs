//! Recordings: each process writes what happens in it, with one clock for all, up to its death.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use multiprocess::{Builder, Lock, Queue, RegisteredTask, Value, init, spawn, task};
use serde_json::Value as Json;

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![hands_over, moves_away, kills_a_holder, counts_long, notes],
        story::named![
            nothing_is_recorded_by_default,
            every_process_records_what_it_does,
            a_killed_process_is_recorded_up_to_its_death,
            a_missing_folder_is_named_and_stops_nothing,
            children_record_where_their_parent_began,
            a_recording_does_not_grow_without_limit,
            a_file_size_limit_ends_the_recording_but_not_the_program,
            a_program_can_record_events_of_its_own,
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![task(add), task(hold)]
}

fn add(lock: Lock, queue: Queue<i64>) {
    let _guard = lock.lock().expect("it can be locked");
    queue.put(1).expect("it is open");
}

fn hold(lock: Lock, held: Queue<()>) {
    let _guard = lock.lock().expect("it can be locked");
    held.put(()).expect("it is open");
    // When this is got, the put before is recorded.
    held.put(()).expect("it is open");
    std::thread::sleep(Duration::from_mins(1));
}

type Event = Json;

/// The events of each process, by its name.
fn events(folder: &Path) -> BTreeMap<String, Vec<Event>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        let events: Vec<Event> = text.lines().map(read).collect();
        assert_eq!(events[0]["event"], "process begins");
        let name = events[0]["name"].as_str().unwrap().to_owned();
        assert!(all.insert(name, events).is_none(), "two of one name");
    }
    all
}

/// The events of that kind.
fn of<'a>(events: &'a [Event], kind: &str) -> Vec<&'a Event> {
    events
        .iter()
        .filter(|event| event["event"] == kind)
        .collect()
}

fn one<'a>(events: &'a [Event], kind: &str) -> &'a Event {
    let found = of(events, kind);
    assert_eq!(found.len(), 1, "{kind}: {events:#?}");
    found[0]
}

fn at(event: &Event) -> u64 {
    event["at"].as_u64().unwrap()
}

fn recorded(scene: &str) -> BTreeMap<String, Vec<Event>> {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(scene).env("MULTIPROCESS_RECORD", folder.path());
    scene.succeed();
    events(folder.path())
}

fn hands_over() {
    init(tasks());
    hand_over();
}

fn hand_over() {
    let (lock, queue) = (Lock::named("pen").unwrap(), Queue::new().unwrap());
    let child = spawn(add, (lock, queue.clone())).unwrap();
    assert_eq!(queue.get().unwrap(), 1);
    child.join().unwrap();
}

fn nothing_is_recorded_by_default() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["MULTIPROCESS_LOG", "MULTIPROCESS_RECORD"] {
        Scene::new("hands_over").env(name, "").succeed();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn every_process_records_what_it_does() {
    let all = recorded("hands_over");
    assert_eq!(all.keys().collect::<Vec<_>>(), ["MainProcess", "Process-1"]);
    let (parent, child) = (&all["MainProcess"], &all["Process-1"]);

    let lock = of(parent, "made")
        .into_iter()
        .find(|made| made["what"] == "the lock 'pen'");
    let lock = &lock.expect("the lock's name")["memory"];
    for kind in ["lock awaited", "lock held", "lock released"] {
        assert_eq!(&one(child, kind)["lock"], lock);
    }
    let (put, got) = (one(child, "put"), one(parent, "got"));
    assert_eq!((&put["queue"], &put["item"]), (&got["queue"], &got["item"]));

    let in_order = [
        one(parent, "process started"),
        &child[0],
        one(child, "task begins"),
        one(child, "lock awaited"),
        one(child, "lock held"),
        put,
        one(child, "lock released"),
        one(child, "task ends"),
        one(child, "process ends"),
        one(parent, "process ended"),
        one(parent, "joined"),
        one(parent, "process ends"),
    ];
    assert!(
        in_order.is_sorted_by_key(|event| at(event)),
        "{in_order:#?}"
    );
    assert!(at(put) < at(got) && got["since"].as_u64().unwrap() <= at(got));
}

fn kills_a_holder() {
    init(tasks());
    let (lock, held) = (Lock::new().unwrap(), Queue::new().unwrap());
    let ann = Builder::new().name("Ann");
    let ann = ann.spawn(hold, (lock.clone(), held.clone())).unwrap();
    for _ in 0..2 {
        held.get().unwrap();
    }
    ann.kill().unwrap();
    assert!(lock.lock().unwrap().holder_died());
    ann.join().unwrap_err();
}

fn a_killed_process_is_recorded_up_to_its_death() {
    let all = recorded("kills_a_holder");
    let (parent, ann) = (&all["MainProcess"], &all["Ann"]);
    let (held, put) = (one(ann, "lock held"), of(ann, "put")[0]);
    assert!(at(held) <= at(put));
    assert!(of(ann, "lock released").is_empty() && of(ann, "process ends").is_empty());
    let ended = one(parent, "process ended");
    assert_eq!(ended["status"], "signal: 9 (SIGKILL)");
    assert_eq!(ended["pid"], ann[0]["pid"]);
    assert!(at(put) < at(one(parent, "lock held")));
}

fn a_missing_folder_is_named_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let scene = Scene::new("hands_over").env("MULTIPROCESS_RECORD", &missing);
    let played = scene.play();
    assert!(played.status.success(), "{played:#?}");
    let warning = &played.err[0];
    assert!(warning.starts_with("MULTIPROCESS_RECORD: "), "{warning}");
    assert!(
        warning.contains("missing") && warning.contains("cannot be created"),
        "{warning}"
    );
}

fn moves_away() {
    init(tasks());
    std::env::set_current_dir("/").unwrap();
    hand_over();
}

fn children_record_where_their_parent_began() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("here")).unwrap();
    let scene = Scene::by_shell(r#"cd "$FOLDER" && exec "$PROGRAM""#, "moves_away");
    let scene = scene.env("FOLDER", folder.path());
    scene.env("MULTIPROCESS_RECORD", "here").succeed();
    let all = events(&folder.path().join("here"));
    assert_eq!(all.keys().collect::<Vec<_>>(), ["MainProcess", "Process-1"]);
}

fn counts_long() {
    init(tasks());
    let value = Value::new(0).unwrap();
    for _ in 0..40_000 {
        *value.lock().unwrap() += 1;
    }
}

fn a_recording_does_not_grow_without_limit() {
    let all = recorded("counts_long");
    let events = &all["MainProcess"];
    assert_eq!(events.len(), 100_001);
    assert_eq!(events.last().unwrap()["event"], "recording full");
}

fn a_file_size_limit_ends_the_recording_but_not_the_program() {
    let folder = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes, or of 1024 with some shells.
    let scene = Scene::by_shell(r#"ulimit -f 64 && exec "$PROGRAM""#, "counts_long");
    let scene = scene.env("MULTIPROCESS_RECORD", folder.path());
    scene.succeed();
    let all = events(folder.path());
    let events = &all["MainProcess"];
    assert!((100..1000).contains(&events.len()), "{}", events.len());
    assert_eq!(events.last().unwrap()["event"], "recording full");
}

fn notes() {
    init(tasks());
    let recorder = multiprocess::recorder().expect("recording is on");
    let thread = std::thread::Builder::new().name("\"quoted\"\n".to_owned());
    let report = || {
        tracing::info!(half = 21, text = "a\\b", "halfway");
        tracing::info!(at = 1_u64, thread = 2, event = "x", "in disguise");
        tracing::info!(number = 3);
    };
    let thread = thread.spawn(move || tracing::dispatcher::with_default(recorder, report));
    thread.unwrap().join().unwrap();
}

fn a_program_can_record_events_of_its_own() {
    let all = recorded("notes");
    let events = &all["MainProcess"];
    let halfway = one(events, "halfway");
    assert_eq!(
        (&halfway["half"], &halfway["text"]),
        (&21.into(), &"a\\b".into())
    );
    let disguised = one(events, "in disguise");
    assert_eq!(disguised["thread"], halfway["thread"]);
    assert!(at(disguised) >= at(halfway));
    assert_eq!(disguised["at_"], 1);
    assert_eq!(disguised["thread_"], 2);
    assert_eq!(disguised["event_"], "x");
    let nameless = events.iter().find(|event| event["number"] == 3).unwrap();
    let name = nameless["event"].as_str().unwrap();
    assert!(name.starts_with("event "), "{name}");
    let seen = of(events, "thread seen");
    let seen = seen
        .iter()
        .find(|seen| seen["thread"] == halfway["thread"])
        .unwrap();
    assert_eq!(seen["name"], "\"quoted\"\n");
    assert!(multiprocess::recorder().is_none(), "recording is off");
}

//! Tests with real recordings: no event comes before its cause.
//!
//! This program starts itself with [`SCENE`] set, and records that.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::Duration;

use multiprocess::{Builder, Lock, Pool, Queue, Receiver, channel, task};
use serde_json::Value;
use tempfile::TempDir;

const SCENE: &str = "TIMELINE_TEST_SCENE";
/// More than all the tests take, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);
const JOBS: usize = 12;
const NAMES: &str = "MainProcess, worker 1, worker 2, worker 3, Ann, PoolWorker-1, PoolWorker-2";

fn main() -> ExitCode {
    multiprocess::init([task(work), task(hold), task(successor)]);
    std::thread::spawn(|| {
        std::thread::sleep(LIMIT);
        eprintln!("the tests take too long");
        std::process::abort();
    });
    if std::env::var_os(SCENE).is_some() {
        scene().expect("the scene succeeds");
        return ExitCode::SUCCESS;
    }
    in_a_hundred_recordings_nothing_comes_before_its_cause();
    lanes_are_plain_text_and_the_picture_is_small();
    a_file_of_another_kind_is_refused();
    ExitCode::SUCCESS
}

/// Three workers share twelve jobs and one pen; Ann is killed while she holds the ink; a pool terminates its workers.
fn scene() -> Result<(), Box<dyn std::error::Error>> {
    let (pen, ink) = (Lock::named("pen")?, Lock::named("ink")?);
    let (to_do, jobs) = channel()?;
    let results = Queue::new()?;
    let workers = (1..=3).map(|number| {
        let builder = Builder::new().name(format!("worker {number}"));
        builder.spawn(work, (jobs.clone(), pen.clone(), results.clone()))
    });
    let workers: Vec<_> = workers.collect::<Result<_, _>>()?;
    for job in 0..JOBS {
        to_do.send(job)?;
    }
    drop((to_do, jobs));
    for _ in 0..JOBS {
        results.get()?;
    }
    for worker in workers {
        worker.join()?;
    }
    let told = Queue::new()?;
    let ann = Builder::new().name("Ann");
    let ann = ann.spawn(hold, (ink.clone(), told.clone()))?;
    told.get()?;
    told.get()?;
    ann.kill()?;
    assert!(ink.lock()?.holder_died());
    assert!(ann.join().is_err());
    assert_eq!(Pool::new(2)?.map(successor, [1, 2])?, [2, 3]);
    Ok(())
}

fn work(jobs: Receiver<usize>, pen: Lock, results: Queue<usize>) {
    for job in &jobs {
        let _guard = pen.lock().expect("no holder died");
        results.put(job.expect("a number")).expect("it is open");
    }
}

fn hold(ink: Lock, told: Queue<()>) {
    let _guard = ink.lock().expect("no holder died");
    for _ in 0..2 {
        told.put(()).expect("it is open");
    }
    std::thread::sleep(Duration::from_mins(1));
}

fn successor(number: u64) -> u64 {
    number + 1
}

/// Records the scene in a new folder.
fn recording() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut scene = Command::new(std::env::current_exe().expect("this program"));
    let scene = scene
        .env(SCENE, "1")
        .env("MULTIPROCESS_RECORD", folder.path());
    let output = scene.output().expect("the scene starts");
    assert!(output.status.success(), "{output:?}");
    folder
}

fn timeline(folder: &Path, options: &[&str]) -> Output {
    let mut timeline = Command::new(env!("CARGO_BIN_EXE_timeline"));
    timeline.current_dir(folder).arg(".").args(options);
    timeline.output().expect("the program starts")
}

fn written(folder: &Path, name: &str) -> String {
    let output = timeline(folder, &["-o", name]);
    assert!(output.status.success(), "{output:?}");
    fs::read_to_string(folder.join(name)).expect("the file is there")
}

fn in_a_hundred_recordings_nothing_comes_before_its_cause() {
    for _ in 0..100 {
        let text = written(recording().path(), "scene.json");
        let trace: Value = serde_json::from_str(&text).expect("a trace is JSON");
        let trace = trace["traceEvents"].as_array().expect("a list");
        must_be_well_formed(trace);
        must_come_after_its_cause(trace);
        must_show_the_scene(trace);
    }
}

/// Returns the events of a phase whose names begin with `start`.
fn of<'a>(trace: &'a [Value], phase: &str, start: &str) -> Vec<&'a Value> {
    let is_it = |event: &&Value| event["ph"] == phase && name(event).starts_with(start);
    trace.iter().filter(is_it).collect()
}

fn name(event: &Value) -> &str {
    event["name"].as_str().expect("a name")
}

/// Returns the process and thread.
fn row(event: &Value) -> [&Value; 2] {
    [&event["pid"], &event["tid"]]
}

fn start(event: &Value) -> f64 {
    event["ts"].as_f64().expect("a time")
}

fn end(event: &Value) -> f64 {
    start(event) + event["dur"].as_f64().expect("a length")
}

/// Allows for rounding: times have three decimals, and are read as binary fractions.
fn is_after(late: f64, early: f64) -> bool {
    late + 0.000_5 >= early
}

/// Checks the required fields of each kind of event, and that the spans of one thread are nested or apart.
fn must_be_well_formed(trace: &[Value]) {
    for event in trace {
        let is_right = match event["ph"].as_str().expect("a phase") {
            "X" => is_after(end(event), start(event)),
            "M" => event["args"].is_object(),
            "i" => event["s"] == "t" || event["s"] == "g",
            "s" | "f" => event["id"].is_u64(),
            "b" | "e" => event["id"].is_string(),
            _ => false,
        };
        let is_on_a_row = row(event).iter().all(|number| number.is_u64());
        let is_named = !name(event).is_empty() && start(event) >= 0.0;
        assert!(is_right && is_on_a_row && is_named, "{event}");
    }
    let spans = of(trace, "X", "");
    for (index, one) in spans.iter().enumerate() {
        for other in spans[..index].iter().filter(|other| row(other) == row(one)) {
            let is_apart = is_after(start(one), end(other));
            assert!(is_apart || is_after(end(other), end(one)), "{one} {other}");
        }
    }
}

/// Checks that arrows go forward in time and from span to span, and that a lock has one holder at a time.
fn must_come_after_its_cause(trace: &[Value]) {
    let spans = of(trace, "X", "");
    let finishes = of(trace, "f", "");
    assert_eq!(of(trace, "s", "").len(), finishes.len());
    for finish in finishes {
        let mut begins = of(trace, "s", name(finish));
        begins.retain(|begin| begin["id"] == finish["id"]);
        assert_eq!(begins.len(), 1, "{finish}");
        assert!(start(begins[0]) <= start(finish), "{begins:?} {finish}");
        for side in [begins[0], finish] {
            let at = start(side);
            let is_then = |span: &Value| is_after(at, start(span)) && is_after(end(span), at);
            let is_on = |span: &&Value| row(span) == row(side) && is_then(span);
            assert!(spans.iter().any(is_on), "it is not on a span: {side}");
        }
    }
    for lock in ["holds the lock 'pen'", "holds the lock 'ink'"] {
        let mut held = of(trace, "X", lock);
        held.sort_by(|one, other| start(one).total_cmp(&start(other)));
        for pair in held.windows(2) {
            assert!(is_after(start(pair[1]), end(pair[0])), "{pair:?}");
        }
    }
    let death = of(trace, "i", "ended badly: SIGKILL")[0];
    for span in spans.iter().filter(|span| row(span) == row(death)) {
        assert!(is_after(start(death), end(span)), "{span} {death}");
    }
}

fn must_show_the_scene(trace: &[Value]) {
    let names = of(trace, "M", "process_name").into_iter();
    let names = names.filter_map(|event| event["args"]["name"].as_str());
    assert_eq!(names.collect::<Vec<_>>().join(", "), NAMES);
    // Ann may be killed between her second put and the recording of it.
    let puts = of(trace, "i", "put into a Queue").len();
    assert!((JOBS + 1..=JOBS + 2).contains(&puts), "{puts}");
    for (phase, name, count) in [
        ("X", "holds the lock 'pen'", JOBS),
        ("X", "holds the lock 'ink'", 2),
        ("X", "successor, input", 2),
        ("i", "put into a channel", JOBS),
        ("i", "got from a channel", JOBS),
        ("i", "got from a Queue", JOBS + 2),
        ("i", "terminated by its pool", 2),
        ("i", "ended badly", 1),
        ("s", "message", JOBS + puts),
        ("s", "started", 6),
        ("s", "ended", 6),
    ] {
        assert_eq!(of(trace, phase, name).len(), count, "{name}");
    }
}

fn lanes_are_plain_text_and_the_picture_is_small() {
    let recording = recording();
    let output = timeline(recording.path(), &[]);
    let text = String::from_utf8(output.stdout).expect("text");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains('|')).collect();
    assert_eq!(rows.len(), 7, "{text}");
    for (row, name) in rows.iter().zip(NAMES.split(", ")) {
        let is_lane = row.is_ascii() && row.starts_with(name) && row.len() == 80;
        assert!(is_lane, "{text}");
    }
    assert!(rows[0].contains(['>', '*']), "{text}");
    assert!(rows[4].contains('X') && rows[5].contains(']'), "{text}");
    let picture = written(recording.path(), "scene.svg");
    assert!(picture.len() < 20_000, "{} bytes: {picture}", picture.len());
    for words in ["<title>", "worker 2<", "holds a lock", "puts"] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
    let puts = picture.matches("#put").count();
    assert!(puts >= 2 * JOBS, "{puts}: {picture}");
}

fn a_file_of_another_kind_is_refused() {
    let output = timeline(Path::new("."), &["-o", "lanes.png"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let is_explained = error.contains("lanes.png") && error.contains(".svg");
    assert!(output.status.code() == Some(2) && is_explained, "{error}");
}

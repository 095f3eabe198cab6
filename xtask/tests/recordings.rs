//! What `cargo xtask timeline` makes of real recordings: nothing may happen before what it needs.
//!
//! Started by itself with [`SCENE`] set, this program is the one that is recorded.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use multiprocess::{Builder, Lock, Queue, Receiver, channel, spawn, task};
use serde_json::Value;
use tempfile::TempDir;

const SCENE: &str = "XTASK_TEST_RECORDINGS_SCENE";
/// Longer than all of it takes, also on a machine that is busy with something else.
const LIMIT: Duration = Duration::from_mins(2);
const RECORDINGS: usize = 100;
const JOBS: usize = 12;

fn main() -> ExitCode {
    multiprocess::init([task(work), task(hold)]);
    std::thread::spawn(|| {
        std::thread::sleep(LIMIT);
        eprintln!("this takes too long");
        std::process::abort();
    });
    if std::env::var_os(SCENE).is_some() {
        scene().expect("the scene goes well");
        return ExitCode::SUCCESS;
    }
    let stories: &[(&str, fn())] = &[
        (
            "in a hundred recordings nothing comes before its cause",
            a_hundred_recordings,
        ),
        ("lanes are plain text of 80 columns", lanes_are_plain),
        (
            "the picture is small and says in words what it shows",
            the_picture_is_small,
        ),
        ("a file of another kind is refused", another_kind_is_refused),
    ];
    for (name, story) in stories {
        println!("{name} ...");
        story();
    }
    ExitCode::SUCCESS
}

/// Three workers share twelve jobs and one pen; Ann is killed while she has the ink.
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
    let ann = Builder::new()
        .name("Ann")
        .spawn(hold, (ink.clone(), told.clone()))?;
    told.get()?;
    told.get()?;
    ann.kill()?;
    assert!(ink.lock()?.holder_died());
    assert!(ann.join().is_err());
    let (nobody, no_jobs) = channel()?;
    drop(nobody);
    spawn(work, (no_jobs, pen, results))?.join()?;
    Ok(())
}

fn work(jobs: Receiver<usize>, pen: Lock, results: Queue<usize>) {
    for job in &jobs {
        let _guard = pen.lock().expect("nobody died");
        results.put(job.expect("a number")).expect("it is open");
    }
}

fn hold(ink: Lock, told: Queue<()>) {
    let _guard = ink.lock().expect("nobody died");
    for _ in 0..2 {
        told.put(()).expect("it is open");
    }
    std::thread::sleep(Duration::from_mins(1));
}

fn recording() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Command::new(std::env::current_exe().expect("this program"))
        .env(SCENE, "1")
        .env("MULTIPROCESS_RECORD", folder.path())
        .output()
        .expect("the scene starts");
    assert!(scene.status.success(), "{scene:?}");
    folder
}

fn xtask(arguments: &[&str]) -> std::process::Output {
    let xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .output();
    xtask.expect("xtask starts")
}

fn written(recording: &Path, name: &str) -> String {
    let file = recording.join(name);
    let [of, to] = [recording, &file].map(|path| path.to_str().expect("a plain name"));
    let told = xtask(&["timeline", "--of", of, "-o", to]);
    assert!(told.status.success(), "{told:?}");
    fs::read_to_string(file).expect("the file is there")
}

fn a_hundred_recordings() {
    for _ in 0..RECORDINGS {
        let recording = recording();
        let text = written(recording.path(), "scene.json");
        let trace = Trace::read(&text);
        trace.must_be_well_formed();
        trace.must_nest();
        trace.must_flow_forward();
        trace.must_lock_one_at_a_time();
        trace.must_show_the_scene();
    }
}

/// A trace, and where one of its rows is: process and thread.
struct Trace(Vec<Value>);

type Row = (u64, u64);

fn row(event: &Value) -> Row {
    let number = |field: &str| {
        event[field]
            .as_u64()
            .unwrap_or_else(|| panic!("{field}: {event}"))
    };
    (number("pid"), number("tid"))
}

fn time(event: &Value, field: &str) -> f64 {
    let time = event[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field}: {event}"));
    assert!(time >= 0.0, "{event}");
    time
}

fn end(event: &Value) -> f64 {
    time(event, "ts") + time(event, "dur")
}

/// Times are written in microseconds with three decimals, and read as binary fractions.
const HAIR: f64 = 0.000_5;

impl Trace {
    fn read(text: &str) -> Trace {
        let trace: Value = serde_json::from_str(text).expect("a trace is JSON");
        let events = trace["traceEvents"]
            .as_array()
            .expect("a trace has a list of events");
        Trace(events.clone())
    }

    fn of<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |event| event["ph"] == phase)
    }

    fn named<'a>(&'a self, phase: &'a str, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.of(phase).filter(move |event| {
            event["name"]
                .as_str()
                .is_some_and(|known| known.starts_with(name))
        })
    }

    /// What the trace event format asks of each kind of event.
    fn must_be_well_formed(&self) {
        for event in &self.0 {
            let phase = event["ph"].as_str().expect("every event has a phase");
            assert!(
                event["name"].as_str().is_some_and(|name| !name.is_empty()),
                "{event}"
            );
            row(event);
            time(event, "ts");
            match phase {
                "X" => assert!(time(event, "dur") >= 0.0),
                "M" => assert!(event["args"].is_object(), "{event}"),
                "i" => assert!(
                    ["g", "p", "t"].contains(&event["s"].as_str().unwrap()),
                    "{event}"
                ),
                "s" | "f" => assert!(event["id"].is_u64() && event["cat"].is_string(), "{event}"),
                "b" | "e" => assert!(
                    event["id"].is_string() && event["cat"].is_string(),
                    "{event}"
                ),
                other => panic!("there is no phase {other} here: {event}"),
            }
        }
        assert_eq!(self.of("b").count(), self.of("e").count());
    }

    /// The spans of one thread lie within each other or apart.
    fn must_nest(&self) {
        let mut open: HashMap<Row, Vec<f64>> = HashMap::new();
        for span in self.of("X") {
            let ends = open.entry(row(span)).or_default();
            ends.retain(|&end| end > time(span, "ts") + HAIR);
            assert!(
                ends.iter().all(|&outer| end(span) <= outer + HAIR),
                "{span}"
            );
            ends.push(end(span));
        }
    }

    /// An arrow begins before it ends, and both lie on a span.
    fn must_flow_forward(&self) {
        let starts: HashMap<u64, &Value> = self
            .of("s")
            .map(|start| (start["id"].as_u64().unwrap(), start))
            .collect();
        assert_eq!(
            starts.len(),
            self.of("s").count(),
            "each arrow has a number of its own"
        );
        assert_eq!(starts.len(), self.of("f").count());
        for finish in self.of("f") {
            let start = starts[&finish["id"].as_u64().unwrap()];
            assert_eq!(start["name"], finish["name"]);
            assert!(time(start, "ts") <= time(finish, "ts"), "{start} {finish}");
            for side in [start, finish] {
                let at = time(side, "ts");
                let mut spans = self.of("X").filter(|span| row(span) == row(side));
                let holds =
                    spans.any(|span| time(span, "ts") <= at + HAIR && at <= end(span) + HAIR);
                assert!(holds, "it lies nowhere: {side}");
            }
        }
    }

    fn must_lock_one_at_a_time(&self) {
        for lock in ["holds the lock 'pen'", "holds the lock 'ink'"] {
            let mut held: Vec<&Value> = self.named("X", lock).collect();
            held.sort_by(|one, other| time(one, "ts").total_cmp(&time(other, "ts")));
            for pair in held.windows(2) {
                assert!(end(pair[0]) <= time(pair[1], "ts") + HAIR, "{pair:?}");
            }
        }
    }

    fn must_show_the_scene(&self) {
        let names: Vec<&str> = self
            .named("M", "process_name")
            .map(|event| event["args"]["name"].as_str().unwrap())
            .collect();
        let expected = [
            "MainProcess",
            "worker 1",
            "worker 2",
            "worker 3",
            "Ann",
            "Process-5",
        ];
        assert_eq!(names, expected);
        assert_eq!(self.named("X", "holds the lock 'pen'").count(), JOBS);
        assert_eq!(self.named("X", "holds the lock 'ink'").count(), 2);
        assert_eq!(self.named("i", "put into a channel").count(), JOBS);
        assert_eq!(self.named("i", "got from a channel").count(), JOBS);
        // Ann may be killed between her second put and the telling of it.
        let puts = self.named("i", "put into a Queue").count();
        assert!((JOBS + 1..=JOBS + 2).contains(&puts), "{puts}");
        assert_eq!(self.named("i", "got from a Queue").count(), JOBS + 2);
        assert_eq!(self.named("s", "message").count(), JOBS + puts);
        assert_eq!(self.named("s", "started").count(), 5);
        assert_eq!(self.named("s", "ended").count(), 5);
        let deaths: Vec<&Value> = self.named("i", "ended badly: SIGKILL").collect();
        let [death] = deaths.as_slice() else {
            panic!("one is killed: {deaths:?}");
        };
        let mut ann = self.of("X").filter(|span| row(span) == row(death));
        assert!(
            ann.all(|span| end(span) <= time(death, "ts") + HAIR),
            "nothing after death"
        );
    }
}

fn lanes_are_plain() {
    let recording = recording();
    let told = xtask(&[
        "timeline",
        "--of",
        recording.path().to_str().unwrap(),
        "--plain",
    ]);
    assert!(told.status.success(), "{told:?}");
    let text = String::from_utf8(told.stdout).expect("text");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains('|')).collect();
    assert!(rows.iter().all(|row| row.is_ascii()), "{text}");
    let names = [
        "MainProcess",
        "worker 1",
        "worker 2",
        "worker 3",
        "Ann",
        "Process-5",
    ];
    assert_eq!(rows.len(), names.len(), "{text}");
    for (row, name) in rows.iter().zip(names) {
        assert!(row.starts_with(name) && row.len() == 80, "{text}");
    }
    assert!(
        rows[4].contains('X') && text.contains("X is killed or fails"),
        "{text}"
    );
    assert!(rows[0].contains('>') || rows[0].contains('*'), "{text}");
}

fn the_picture_is_small() {
    let recording = recording();
    let picture = written(recording.path(), "scene.svg");
    assert!(
        picture.starts_with("<svg ") && picture.ends_with("</svg>\n"),
        "{picture}"
    );
    assert!(picture.len() < 20_000, "{} bytes", picture.len());
    for words in [
        "<title ",
        "<desc ",
        "worker 2",
        "SIGKILL",
        "holds a lock",
        "puts 12",
    ] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
}

fn another_kind_is_refused() {
    let told = xtask(&["timeline", "pool", "map", "-o", "map.png"]);
    assert_eq!(told.status.code(), Some(2));
    let error = String::from_utf8_lossy(&told.stderr);
    assert!(
        error.contains("map.png") && error.contains(".svg"),
        "{error}"
    );
    assert!(!Path::new("map.png").exists());
}

//! Where the program runs: under a loader or valgrind, with few descriptors, without /proc or /dev/shm. It works, or
//! says what is missing and what to do.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use crate::story;

use std::error::Error;
use std::process::ExitCode;

use multiprocess::{Connection, Lock, Pool, Queue, RegisteredTask, Value, init, pipe, spawn, task};

use story::scene::Scene;

pub(crate) fn main() -> ExitCode {
    story::play(
        || init(tasks()),
        story::named![small_program],
        story::named![
            a_program_started_by_a_loader_starts_children,
            with_few_descriptors_errors_name_the_limit_and_the_way_out
        ],
    )
}

fn tasks() -> Vec<RegisteredTask> {
    vec![
        task(zeros),
        task(add_one),
        task(echo),
        task(doubler),
        task(longer),
    ]
}

fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

fn longer(word: String) -> String {
    word + "!"
}

fn add_one(counter: Value<u64>, lock: Lock) -> Result<(), String> {
    let _alone = lock.lock().map_err(in_words)?;
    *counter.lock().map_err(in_words)? += 1;
    Ok(())
}

fn echo(queue: Queue<String>, pipe: Connection<i64, i64>) -> Result<(), String> {
    queue.put("a word".to_owned()).map_err(in_words)?;
    // Without a number the other side has met an error.
    match pipe.recv() {
        Ok(number) => pipe.send(number + 1).map_err(in_words),
        Err(error) if error.is_closed() => Ok(()),
        Err(error) => Err(in_words(error)),
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn doubler(number: i64) -> i64 {
    2 * number
}

/// Uses everything once, and prints what comes of each.
fn small_program() {
    init(tasks());
    std::env::set_current_dir("/dev").unwrap();
    let report = |what: &str, result: Result<(), Box<dyn Error>>| match result {
        Ok(()) => println!("{what}: ok"),
        Err(error) => println!("{what}: {error}"),
    };
    report(
        "spawn",
        (|| {
            let child = spawn(doubler, (5,))?;
            assert_eq!(child.join()?, 10);
            Ok(())
        })(),
    );
    report(
        "word",
        (|| {
            let child = spawn(longer, ("a word".to_owned(),))?;
            assert_eq!(child.join()?, "a word!");
            Ok(())
        })(),
    );
    report(
        "large",
        (|| {
            let child = spawn(zeros, (100_000,))?;
            assert_eq!(child.join()?.len(), 100_000);
            Ok(())
        })(),
    );
    report(
        "value",
        (|| {
            let (value, lock) = (Value::new(7_u64)?, Lock::new()?);
            spawn(add_one, (value.clone(), lock))?.join()??;
            assert_eq!(value.get()?, 8);
            Ok(())
        })(),
    );
    report(
        "queue",
        (|| {
            let queue = Queue::new()?;
            let (ours, theirs) = pipe()?;
            let child = spawn(echo, (queue.clone(), theirs))?;
            assert_eq!(queue.get()?, "a word");
            ours.send(4)?;
            assert_eq!(ours.recv()?, 5);
            Ok(child.join()??)
        })(),
    );
    report(
        "pool",
        (|| {
            let pool = Pool::new(2)?;
            assert_eq!(pool.map(doubler, 0..10)?.len(), 10);
            Ok(())
        })(),
    );
}

const ALL_WELL: [&str; 6] = [
    "spawn: ok",
    "word: ok",
    "large: ok",
    "value: ok",
    "queue: ok",
    "pool: ok",
];

/// The loader of this program: `ld-linux-x86-64.so.2`, for example.
fn loader() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let is_loader = |path: &&str| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("ld"))
    };
    let mut paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|start| &line[start..]));
    let found = paths.find(is_loader).expect("this program has a loader");
    found.to_owned()
}

fn a_program_started_by_a_loader_starts_children() {
    for script in [
        "exec \"$LOADER\" \"$PROGRAM\"",
        // By a relative path, with an argument of the loader and one of the program.
        "cd / && exec \"$LOADER\" --library-path /nowhere \"${PROGRAM#/}\" play",
    ] {
        let printed = Scene::by_shell(script, "small_program")
            .env("LOADER", loader())
            .succeed();
        assert_eq!(printed, ALL_WELL);
    }
}

fn with_few_descriptors_errors_name_the_limit_and_the_way_out() {
    let (mut all_well, mut wanting) = (0, 0);
    for limit in 4..=40 {
        let script = format!("exec prlimit --nofile={limit} \"$PROGRAM\"");
        let played = Scene::by_shell(&script, "small_program").play();
        assert!(played.status.success(), "{limit}: {played:#?}");
        assert_eq!(played.err, [""; 0], "{limit}");
        assert_eq!(played.out.len(), ALL_WELL.len(), "{limit}: {played:#?}");
        for (line, well) in played.out.iter().zip(ALL_WELL) {
            let names_it = line.contains(&format!("have {limit} files open (`ulimit -n`)"));
            assert!(line == well || names_it, "{limit}: {line}");
            wanting += u32::from(names_it);
        }
        all_well += u32::from(played.out == ALL_WELL);
    }
    assert!(all_well > 0 && wanting > 0, "{all_well} {wanting}");
}

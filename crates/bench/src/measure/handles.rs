//! What it costs to keep many handles: time, descriptors and memory for each, and how many a process can have.

use std::any::Any;
use std::fs::{self, DirEntry, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{self, Command};
use std::time::Instant;

use anyhow::{Context, Result};
use multiprocess::{Event, Lock, Queue, Semaphore, Value, pipe};
use rustix::process::{Resource, getrlimit};

use crate::measure::run;
use crate::run::{SPEED_PY, start_python};

/// `speed.py` prints lines of the same form.
const HEAD: &str = "\
| multiprocess |  wanted |    made | time of each | descriptors | resident bytes | bytes of files | stopped by |
|---|---:|---:|---:|---:|---:|---:|---|";

const KINDS: [&str; 6] = ["value", "lock", "semaphore", "event", "queue", "pipe"];

/// Makes many handles of these kinds (without any, of all kinds) and keeps all of them, here and in Python, and prints
/// what one of each kind costs.
pub(crate) fn print(kinds: &[&str]) -> Result<()> {
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(*kind)) {
        let kinds = KINDS.join(", ");
        let misuse = format!("there is no kind `{unknown}`\nThe kinds are {kinds}");
        return Err(lexopt::Error::from(misuse).into());
    }
    let kinds = if kinds.is_empty() { &KINDS } else { kinds };
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or("any number of".to_owned(), |limit| limit.to_string());
    println!("A process may have {limit} descriptors (`ulimit -n`).\n\n{HEAD}");
    // What only the first handle of a process costs doesn't count.
    drop((Lock::new()?, Queue::<u64>::new()?, pipe::<u64, u64>()?));
    let mut kept = Vec::new();
    for kind in kinds {
        match *kind {
            "value" => keep(&mut kept, kind, 10_000, || Value::new(0_i64))?,
            "lock" => keep(&mut kept, kind, 10_000, Lock::new)?,
            "semaphore" => keep(&mut kept, kind, 10_000, || Semaphore::new(2))?,
            "event" => keep(&mut kept, kind, 10_000, Event::new)?,
            "queue" => keep(&mut kept, kind, 1_000, Queue::<u64>::new)?,
            "pipe" => keep(&mut kept, kind, 1_000, pipe::<u64, u64>)?,
            _ => unreachable!("it is one of the kinds"),
        }
    }
    drop(kept);
    if let Err(error) = start_python() {
        let _ = writeln!(io::stderr(), "The lines of Python are missing: {error:#}");
        return Ok(());
    }
    println!("| **Python** | | | | | | | |");
    run(Command::new("python3")
        .args([SPEED_PY, "handles"])
        .args(kinds))
}

/// Makes handles and keeps them with the others. If one can't be made, drops all of them, so that the next kind begins
/// without descriptors.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn keep<T: 'static>(
    kept: &mut Vec<Box<dyn Any>>,
    kind: &str,
    wanted: usize,
    make: impl Fn() -> multiprocess::Result<T>,
) -> Result<()> {
    let mut handles = Vec::with_capacity(wanted);
    let before = usage()?;
    // Counting takes a descriptor, and there may be none left.
    let spare = File::open("/dev/null")?;
    let start = Instant::now();
    let stopped = (0..wanted).find_map(|_| make().map(|it| handles.push(it)).err());
    let microseconds = start.elapsed().as_secs_f64() * 1e6;
    drop(spare);
    let after = usage()?;
    let count = handles.len();
    let each = |total: f64| total / count.max(1) as f64;
    let [descriptors, resident, files] = [0, 1, 2].map(|place| each(after[place] - before[place]));
    let time = each(microseconds);
    let reason = stopped
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    print!("| {kind:12} | {wanted:7} | {count:7} | {time:9.1} µs | {descriptors:11.3} ");
    println!("| {resident:14.0} | {files:14.0} | {reason} |");
    match stopped {
        None => kept.push(Box::new(handles)),
        Some(_) => kept.clear(),
    }
    Ok(())
}

/// Returns the number of this process's descriptors, the bytes of memory that it uses, and those of its shared files.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn usage() -> Result<[f64; 3]> {
    let descriptors = fs::read_dir("/proc/self/fd")?.count();
    let memory = fs::read_to_string("/proc/self/smaps_rollup")?;
    let resident = memory
        .split_whitespace()
        .skip_while(|word| *word != "Rss:")
        .nth(1);
    let resident: f64 = resident.context("no line `Rss:`")?.parse()?;
    let prefix = format!("mp-{:x}-", process::id());
    let is_ours = |file: &DirEntry| file.file_name().to_string_lossy().starts_with(&prefix);
    let files = fs::read_dir("/dev/shm")?.flatten().filter(is_ours);
    let blocks: u64 = files
        .filter_map(|file| Some(file.metadata().ok()?.blocks()))
        .sum();
    Ok([descriptors as f64, resident * 1024.0, blocks as f64 * 512.0])
}

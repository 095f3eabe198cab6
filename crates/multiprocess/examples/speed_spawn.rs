//! How long it takes to start a process and wait for it: ours, `std::process::Command`'s, and Python's.
//!
//! `cargo run --release -p multiprocess --example speed_spawn`

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use multiprocess::{spawn, task};

fn nothing() {}

/// Rounds in which everything is measured in turn, so that all see the same machine.
const ROUNDS: usize = 15;
/// Processes that each round starts one after the other.
const EACH: u32 = 20;

const PYTHON: &str = r"
import multiprocessing, sys, time
def nothing():
    pass
if __name__ == '__main__':
    context = multiprocessing.get_context(sys.argv[1])
    count = int(sys.argv[2])
    start = time.perf_counter()
    for _ in range(count):
        process = context.Process(target=nothing)
        process.start()
        process.join()
    print((time.perf_counter() - start) / count)
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What `Command` starts for comparison: this same program, which ends at once.
    if std::env::args().nth(1).as_deref() == Some("nothing") {
        return Ok(());
    }
    multiprocess::init([task(nothing)]);

    let script = tempfile::Builder::new().suffix(".py").tempfile()?;
    script.as_file().write_all(PYTHON.as_bytes())?;
    let python = |method: &str, count: u32| -> Option<Duration> {
        let mut command = Command::new("python3");
        command
            .arg(script.path())
            .args([method, &count.to_string()])
            .stderr(Stdio::null());
        let output = command
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let seconds = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
        Some(Duration::from_secs_f64(seconds))
    };

    let (mut ours, mut bare, mut fork, mut fresh) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..EACH {
            spawn(nothing, ())?.join()?;
        }
        ours.push(start.elapsed() / EACH);
        let start = Instant::now();
        for _ in 0..EACH {
            let mut program = Command::new(std::env::current_exe()?);
            program.arg("nothing").stdin(Stdio::null()).status()?;
        }
        bare.push(start.elapsed() / EACH);
        fork.extend(python("fork", EACH));
        fresh.extend(python("spawn", 3));
    }

    let ours = median(ours).ok_or("nothing was measured")?;
    println!("start a process that does nothing, and wait for it (median of {ROUNDS} rounds)");
    println!("{:<28}{:>9.3} ms", "multiprocess", ours.as_secs_f64() * 1e3);
    let others = [
        ("std::process::Command", bare),
        ("Python, fork", fork),
        ("Python, spawn", fresh),
    ];
    for (name, times) in others {
        match median(times) {
            None => println!("{name:<28} not measured: no python3 that can do it"),
            Some(time) => {
                let ratio = time.as_secs_f64() / ours.as_secs_f64();
                println!(
                    "{name:<28}{:>9.3} ms, {ratio:.2} × ours",
                    time.as_secs_f64() * 1e3
                );
            }
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

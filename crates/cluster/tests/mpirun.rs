//! The program `examples/jobs.rs`, run by `mpirun`.

use std::process::{Command, Output};

/// Runs a job with so many ranks, or without `mpirun`, for at most a minute. No process of it is left.
fn run(job: &str, ranks: usize) -> Output {
    let tests = std::env::current_exe().expect("it has a path");
    // Cargo builds it for the tests, next to them.
    let jobs = tests.ancestors().nth(2).expect("it is in `deps`");
    // Also an argument of the workers, to find those that are left.
    let mark = format!("test-{}-{ranks}-{job}", std::process::id());
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "60"]);
    if ranks > 0 {
        command.args(["mpirun", "--oversubscribe", "-n", &ranks.to_string()]);
    }
    // In a container, all may run as root, which Open MPI refuses otherwise.
    for variable in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
        command.env(variable, "1");
    }
    command.arg(jobs.join("examples/jobs")).args([job, &mark]);
    let output = command.output().expect("there is `timeout`");
    let left = Command::new("pgrep").args(["-fa", "--", &mark]).output();
    let left = left.expect("there is `pgrep`").stdout;
    assert_eq!(String::from_utf8_lossy(&left), "", "{output:?}");
    output
}

/// Runs a job that ends with that exit code, and prints these lines; `…` stands for any text.
fn check(job: &str, ranks: usize, code: i32, lines: &[&str]) {
    let output = run(job, ranks);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().count(), lines.len(), "{text}");
    for (line, expected) in text.lines().zip(lines) {
        let (start, end) = expected.split_once('…').unwrap_or((expected, ""));
        let is_it = line.starts_with(start) && line.ends_with(end);
        assert!(
            is_it && line.len() >= start.len() + end.len(),
            "{line}, not {expected}"
        );
    }
}

#[test]
fn results_are_in_order_and_all_ranks_work() {
    let results = [
        "[1024, 9]",
        "[]",
        "[0, 1, 16]",
        "[1, 4, 9, 16]",
        "100000 in order: true",
    ];
    for ranks in [0, 1, 3] {
        check("order", ranks, 0, &results);
    }
    check("everywhere", 3, 0, &["[\"0\", \"1\", \"2\"]"]);
    check("large", 3, 0, &["24 right: true"]);
}

#[test]
fn a_failure_names_the_input_and_the_rank_and_the_rest_goes_on() {
    let lines = [
        "[Ok(0), Err(`jobs::half` gave no result for input 1, on rank … 1 is odd), Ok(1)]",
        "`jobs::no_seven` gave no result for input 7, on rank …: no sevens here",
        "[Err(`jobs::dies` gave no result for input 5, on rank … was ended by SIGKILL)]",
        "[Ok(()), Err(`jobs::positive` gave no result for input 1, on rank …), Ok(())]",
        "`jobs::never` is not in the list …",
        "true",
        "[0, 1, 4, 9]",
    ];
    check("failures", 0, 0, &lines);
    check("failures", 3, 0, &lines);
}

#[test]
fn handles_are_refused() {
    let lines = [
        "`jobs::locks` cannot run in a cluster: `Lock` is a handle to the memory …",
        "`jobs::makes_queue` cannot run in a cluster: `Queue` is a handle …",
        "`jobs::hidden` cannot run in a cluster: a Lock is a handle …",
        "[Ok(Number(0)), Err(`jobs::hides` gave no result for input 1, … its machine), Ok(Number(2))]",
    ];
    check("handles", 0, 0, &lines);
    check("handles", 3, 0, &lines);
}

#[test]
fn the_ranks_end_with_main_however_it_ends() {
    check("no pool", 3, 0, &[]);
    check("thread", 0, 0, &[]);
    check("thread", 3, 0, &[]);
    check("panic", 3, 101, &[]);
    check("unknown", 3, 1, &[]);
    let output = run("killed rank", 3);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("exited on signal 9 (Killed)"), "{output:?}");
}

//! The program `examples/jobs.rs`, run by `mpirun`.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Returns the program, which Cargo builds next to the tests.
fn jobs() -> PathBuf {
    let tests = std::env::current_exe().expect("it has a path");
    let folder = tests.ancestors().nth(2).expect("it is in `deps`");
    folder.join("examples/jobs")
}

/// Runs a command for at most a minute. No process of it is left.
fn run(command: &[&str], job: &str) -> Output {
    // Also an argument of the workers, to find those that are left.
    let mark = format!("test-{}-{}-{job}", std::process::id(), command.join("-"));
    let mut timeout = Command::new("timeout");
    timeout.args(["--kill-after=5", "60"]).args(command);
    // In a container, all may run as root, which Open MPI refuses otherwise.
    for variable in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
        timeout.env(variable, "1");
    }
    let output = timeout.arg(jobs()).args([job, &mark]).output();
    let output = output.expect("there is `timeout`");
    let left = Command::new("pgrep").args(["-fa", "--", &mark]).output();
    let left = left.expect("there is `pgrep`").stdout;
    assert_eq!(
        String::from_utf8_lossy(&left),
        "",
        "is left of {job}: {output:?}"
    );
    output
}

/// Runs a job with so many ranks, or without `mpirun`.
fn run_job(ranks: usize, job: &str) -> Output {
    let number = ranks.to_string();
    match ranks {
        0 => run(&[], job),
        _ => run(&["mpirun", "--oversubscribe", "-n", &number], job),
    }
}

/// Runs a job that ends with that exit code. Each line of its output begins and ends as it should.
fn check(job: &str, ranks: usize, code: i32, lines: &[(&str, &str)]) {
    let output = run_job(ranks, job);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().count(), lines.len(), "{job}: {text}");
    for (line, (start, end)) in text.lines().zip(lines) {
        assert!(
            line.starts_with(start) && line.ends_with(end),
            "{line}, not {start} … {end}"
        );
    }
}

#[test]
fn results_are_in_order_and_all_ranks_work() {
    for ranks in [0, 1, 3] {
        let order = [("100000 in order: true", ""), ("[1024, 9]", ""), ("[]", "")];
        check("order", ranks, 0, &order);
    }
    check("everywhere", 3, 0, &[("[\"0\", \"1\", \"2\"]", "")]);
    check("large", 3, 0, &[("24 right: true", "")]);
}

#[test]
fn a_failure_names_the_input_and_the_rank_and_the_rest_goes_on() {
    let lines = [
        (
            "[Ok(0), Err(`jobs::half` gave no result for input 1, on rank ",
            "1 is odd), Ok(1)]",
        ),
        (
            "`jobs::no_seven` gave no result for input 7, on rank ",
            ": no sevens here",
        ),
        (
            "[Err(`jobs::dies` gave no result for input 5, on rank ",
            "was ended by SIGKILL)]",
        ),
        ("`jobs::never` is not in the list", ""),
        (
            "[Ok(()), Err(`jobs::positive` gave no result for input 1, on rank ",
            "the input cannot be sent: out of range integral type conversion attempted), Ok(())]",
        ),
        ("true", ""),
        ("[0, 1, 4, 9]", ""),
    ];
    check("failures", 0, 0, &lines);
    check("failures", 3, 0, &lines);
}

#[test]
fn handles_are_refused() {
    let why = "one machine; pass the data itself, or use `multiprocess::Pool`";
    let lines = [
        (
            "`jobs::locks` cannot run in a cluster: a Lock is a handle ",
            why,
        ),
        (
            "`jobs::makes_queue` cannot run in a cluster: a Queue<u64> is a handle ",
            why,
        ),
        (
            "`jobs::hidden` cannot run in a cluster: a Lock is a handle ",
            why,
        ),
        ("[0, 1, 4, 9]", ""),
    ];
    check("handles", 0, 0, &lines);
    check("handles", 3, 0, &lines);
}

#[test]
fn the_ranks_end_with_main_however_it_ends() {
    check("no pool", 3, 0, &[]);
    check("panic", 3, 101, &[]);
    check("unknown", 3, 1, &[]);
    let output = run_job(3, "killed rank");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("exited on signal 9 (Killed)"), "{output:?}");
}

#[test]
fn a_rank_with_another_build_of_the_program_is_refused() {
    let other = concat!(env!("CARGO_TARGET_TMPDIR"), "/jobs");
    let mut program = std::fs::read(jobs()).expect("it has been built");
    program.push(0);
    std::fs::copy(jobs(), other).expect("with its permissions");
    std::fs::write(other, program).expect("it can be written");
    let output = run(
        &["mpirun", "--oversubscribe", "-n", "1", other, "order", ":", "-n", "1"],
        "order",
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("cannot work: it runs another program"),
        "{text}"
    );
}

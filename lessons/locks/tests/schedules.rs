//! Runs the races of this lesson as `cargo xtask schedule` does: the program asks who runs next, through pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// The program of this lesson, while it asks who runs next.
struct Asking {
    program: Child,
    lines: Receiver<String>,
}

impl Asking {
    fn start(arguments: &[&str]) -> Asking {
        let mut program = Command::new(env!("CARGO_BIN_EXE_locks"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(program.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines() {
                sender.send(line.unwrap()).unwrap_or_default();
            }
        });
        Asking { program, lines }
    }

    /// Reads the lines up to the next question or the end.
    fn read(&self) -> Vec<String> {
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(LIMIT).ok());
        lines.take_while(|line| line != "choose").collect()
    }

    /// Answers a question, and reads the lines up to the next one or the end.
    fn answer(&mut self, letter: char) -> Vec<String> {
        let stdin = self.program.stdin.as_mut().unwrap();
        writeln!(stdin, "{letter}").unwrap();
        self.read()
    }

    /// Closes its standard input, and returns its exit status and errors.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.program.stdin.take());
        wait_until(|| self.program.try_wait().unwrap().is_some());
        let mut errors = String::new();
        let mut stderr = self.program.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (self.program.wait().unwrap().code(), errors)
    }

    /// Returns the ids of its processes.
    fn processes(&self) -> Vec<String> {
        let own = self.program.id().to_string();
        let is_own = |ids: &&[String; 2]| ids[0] == own;
        let found = all_processes();
        found
            .iter()
            .filter(is_own)
            .map(|ids| ids[1].clone())
            .collect()
    }
}

/// Ends the program if a test fails.
impl Drop for Asking {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Returns the parent and the id of each process that has not ended.
fn all_processes() -> Vec<[String; 2]> {
    let ps = Command::new("ps")
        .args(["-A", "-o", "ppid=,pid=,stat="])
        .output()
        .unwrap();
    let text = String::from_utf8(ps.stdout).unwrap();
    let fields = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let alive = fields.filter(|fields| !fields[2].starts_with('Z'));
    alive
        .map(|fields| [fields[0].to_owned(), fields[1].to_owned()])
        .collect()
}

fn wait_until(mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < LIMIT, "it takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

fn are_gone(processes: &[String]) -> bool {
    let left = all_processes();
    !left.iter().any(|[_, id]| processes.contains(id))
}

/// Runs every schedule of a race, and returns the lines.
fn all(arguments: &[&str]) -> Vec<String> {
    let program = Command::new(env!("CARGO_BIN_EXE_locks"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(program.status.success(), "{program:?}");
    let text = String::from_utf8(program.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

const STUCK: &str =
    "stuck: Ann waits for the lock 'paper', held by Bob; Bob waits for the lock 'pen', held by Ann";

#[test]
fn a_person_loses_an_update() {
    let mut race = Asking::start(&["race", "--schedule", "ask"]);
    assert_eq!(
        race.read(),
        [
            "goal\tLose an update: make the total smaller than 4.",
            "value\ttotal\t0",
            "next\tA\tlet seen = total.load();",
            "next\tB\tlet seen = total.load();",
        ]
    );
    assert_eq!(race.answer('A')[0], "did\tA\tlet seen = total.load();\t0");
    let mut last = Vec::new();
    for letter in "BBBBAAA".chars() {
        last = race.answer(letter);
    }
    let expected = [
        "did\tA\ttotal.store(seen + 1);\t",
        "value\ttotal\t2",
        "outcome\t2 x 2 additions make 2",
    ];
    assert_eq!(last, expected);
    assert_eq!(race.end(), (Some(0), String::new()));
}

#[test]
fn processes_show_what_they_read_and_lose_an_update() {
    let mut race = Asking::start(&["balance", "--schedule", "ask"]);
    race.read();
    let read = race.answer('W');
    let expected = [
        "did\tW\tlet seen = balance.get();\t200",
        "value\tbalance\t200",
        "next\tD\tlet seen = balance.get();",
        "next\tW\tbalance.set(seen + amount);",
    ];
    assert_eq!(read, expected);
    race.answer('D');
    assert_eq!(race.answer('D')[1], "value\tbalance\t201");
    assert_eq!(race.answer('W')[1], "value\tbalance\t199");
    for letter in "DDW".chars() {
        race.answer(letter);
    }
    assert_eq!(race.answer('W')[2], "outcome\t200 + 2 - 2 make 199");
    assert_eq!(race.end(), (Some(0), String::new()));
}

#[test]
fn every_schedule_of_the_processes_runs_once_and_has_the_outcome_worked_out_without_them() {
    let lines = all(&["balance", "--schedule", "all"]);
    assert_eq!(lines.len(), 70);
    assert!(lines.is_sorted_by(|one, next| one < next), "{lines:?}");
    for line in lines {
        let turns = line.split(':').next().unwrap();
        let (mut balance, mut seen) = (200, [None, None]);
        for actor in turns.chars() {
            let (seen, amount) = if actor == 'D' {
                (&mut seen[0], 1)
            } else {
                (&mut seen[1], -1)
            };
            match seen.take() {
                None => *seen = Some(balance),
                Some(read) => balance = read + amount,
            }
        }
        assert_eq!(line, format!("{turns}: 200 + 2 - 2 make {balance}"));
    }
}

#[test]
fn ann_and_bob_get_stuck_crosswise_but_not_if_both_take_the_pen_first() {
    let written = "both have written their letters";
    assert_eq!(
        all(&["deadlock", "--schedule", "all"]),
        [
            format!("AAABBB: {written}"),
            format!("AB: {STUCK}"),
            format!("BA: {STUCK}"),
            format!("BBBAAA: {written}"),
        ]
    );
    assert_eq!(
        all(&["deadlock", "--schedule", "all", "--cure"]),
        [format!("AAABBB: {written}"), format!("BBBAAA: {written}")]
    );
    let mut race = Asking::start(&["deadlock", "--schedule", "ask"]);
    race.read();
    race.answer('A');
    let last = race.answer('B');
    let end = [
        "blocked\tA\tlet paper = paper.lock();".to_owned(),
        "blocked\tB\tlet pen = pen.lock();".to_owned(),
        format!("outcome\t{STUCK}"),
    ];
    assert!(last.ends_with(&end), "{last:?}");
    assert_eq!(race.end(), (Some(0), String::new()));
}

#[test]
fn with_a_lock_no_schedule_loses_an_update_and_who_waits_cannot_be_chosen() {
    for (step, outcome) in [
        ("race", "2 x 2 additions make 4"),
        ("balance", "200 + 2 - 2 make 200"),
    ] {
        let lines = all(&[step, "--schedule", "all", "--cure"]);
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.ends_with(outcome)),
            "{lines:?}"
        );
    }
    let mut race = Asking::start(&["balance", "--schedule", "ask", "--cure"]);
    race.read();
    let expected = [
        "did\tD\tlet mut guard = balance.lock();\t",
        "value\tbalance\tlocked",
        "next\tD\tlet seen = *guard;",
        "blocked\tW\tlet mut guard = balance.lock();",
    ];
    assert_eq!(race.answer('D'), expected);
    assert!(race.answer('W').is_empty());
    let error = "error: `W` cannot run next; these are ready: D\n";
    assert_eq!(race.end(), (Some(2), error.to_owned()));
}

#[test]
fn if_nobody_chooses_any_more_the_program_ends_quietly_and_leaves_no_process() {
    for (step, cure) in [
        ("balance", None),
        ("balance", Some("--cure")),
        ("deadlock", None),
    ] {
        let arguments = ["--schedule", "ask", step].into_iter().chain(cure);
        let mut race = Asking::start(&arguments.collect::<Vec<_>>());
        race.read();
        race.answer(if step == "balance" { 'D' } else { 'A' });
        let processes = race.processes();
        assert_eq!(processes.len(), 2, "{step}");
        assert_eq!(race.end(), (Some(0), String::new()), "{step}");
        assert!(are_gone(&processes), "{step}");
    }
}

#[test]
fn if_the_program_is_killed_its_processes_end() {
    let mut race = Asking::start(&["deadlock", "--schedule", "ask"]);
    race.read();
    race.answer('A');
    let processes = race.processes();
    assert_eq!(processes.len(), 2);
    race.program.kill().unwrap();
    assert_eq!(race.end().0, None);
    wait_until(|| are_gone(&processes));
}

#[test]
fn if_a_process_is_killed_while_it_waits_for_its_turn_the_program_says_so() {
    for (step, killed, other) in [
        ("balance", 0, 'W'),
        ("balance", 1, 'D'),
        ("deadlock", 1, 'A'),
    ] {
        let mut race = Asking::start(&[step, "--schedule", "ask"]);
        race.read();
        let processes = race.processes();
        let kill = Command::new("kill")
            .args(["-9", &processes[killed]])
            .status();
        assert!(kill.unwrap().success());
        let after = race.answer(other);
        assert!(
            !after.iter().any(|line| line.starts_with("next")),
            "{after:?}"
        );
        let (status, errors) = race.end();
        assert_eq!(status, Some(1), "{errors}");
        assert!(
            errors.starts_with(&format!("step {step} failed: ")),
            "{errors}"
        );
        let is_named = errors.contains("has ended") || errors.contains("SIGKILL");
        assert!(is_named, "{errors}");
        assert!(are_gone(&processes), "{step}");
    }
}

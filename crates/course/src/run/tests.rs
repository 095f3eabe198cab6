use super::{Line, MAX_LINE, run};
use std::fs;
use std::io::ErrorKind::BrokenPipe;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Waits for up to 30 seconds until a process is gone or a zombie, and returns whether it is.
fn is_gone(pid: &str) -> bool {
    let start = Instant::now();
    while start.elapsed() < LONG {
        let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
        let state = String::from_utf8(state.unwrap().stdout).unwrap();
        if state.trim().is_empty() || state.trim().starts_with('Z') {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn lines_of_both_streams_come_as_they_are_written_and_the_exit_status_is_returned() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    // The script continues once its first line has been seen.
    let script = "echo one; until test -e \"$0\"; do sleep 0.01; done; echo two >&2; \
                  head -c 40000 /dev/zero | tr '\\0' x; echo; exit 3";
    let mut command = shell(script);
    command.arg(&seen);
    let mut lines = Vec::new();
    let end = run(command, LONG, |line| {
        lines.push(line);
        fs::write(&seen, "")
    });
    // A line that is too long is split.
    let longest = usize::try_from(MAX_LINE).unwrap();
    let parts = [longest, longest, 40_000 - 2 * longest].map(|length| "x".repeat(length));
    let parts = parts.map(Line::Output);
    let error = lines
        .iter()
        .position(|line| *line == Line::Error("two".into()));
    lines.remove(error.unwrap());
    assert_eq!(lines[0], Line::Output("one".into()));
    assert_eq!(lines[1..], parts);
    let end = end.unwrap();
    assert!(!end.is_success());
    assert_eq!(end.to_string(), "it ended with exit status: 3");
}

#[test]
fn every_line_is_shown_even_on_a_slow_or_blocked_screen() {
    for (script, limit, expected) in [("seq 2000", LONG, 2000), ("seq 3", LONG / 10, 3)] {
        let mut count = 0;
        let end = run(shell(script), limit, |_| {
            // The time that `show` takes doesn't count.
            let is_still = expected == 3 && count == 0;
            thread::sleep(if is_still {
                limit
            } else {
                Duration::from_millis(1)
            });
            count += 1;
            Ok(())
        });
        assert!(end.unwrap().is_success());
        assert_eq!(count, expected);
    }
}

#[test]
fn however_a_run_ends_no_process_of_it_is_left() {
    for (script, timeout, expected) in [
        ("sleep 60 & echo $!; sleep 60", LONG / 10, "it was ended"),
        ("sleep 60 & echo $!; yes", LONG / 10, "it was ended"),
        ("sleep 60 & echo $!", LONG, "it ended with exit status: 0"),
        ("echo $$; echo closed; sleep 60", LONG, "broken pipe"),
    ] {
        let start = Instant::now();
        let mut pid = String::new();
        let end = run(shell(script), timeout, |line| {
            match line {
                Line::Output(line) if line == "closed" => return Err(BrokenPipe.into()),
                Line::Output(line) if pid.is_empty() => pid = line,
                _ => {}
            }
            Ok(())
        });
        let end = end.map_or_else(|error| error.to_string(), |end| end.to_string());
        assert!(end.starts_with(expected), "{script}: {end}");
        assert!(start.elapsed() < Duration::from_secs(40), "{script}");
        assert!(is_gone(&pid), "{script}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_has_left_the_group_is_not_waited_for() {
    for script in ["yes", "sleep 60"] {
        let mut pid = String::new();
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("left");
        let start = format!(
            "setsid sh -c ': > \"$0\"; exec {script}' \"$LEFT\" & echo $!; \
             until test -e \"$LEFT\"; do sleep 0.01; done"
        );
        let mut command = shell(&start);
        command.env("LEFT", left);
        let end = run(command, LONG, |line| {
            if let Line::Output(line) = line
                && line != "y"
            {
                pid = line;
            }
            Ok(())
        });
        assert!(end.unwrap().is_success());
        // `yes` ends when it writes to the closed pipe.
        if script.contains("sleep") {
            let kill = Command::new("kill").arg(&pid).status();
            assert!(kill.unwrap().success(), "it is not in the group");
        }
        assert!(is_gone(&pid));
    }
}

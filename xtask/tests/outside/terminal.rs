//! `cargo xtask lesson --step` on a terminal, with single keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::small_course::{SmallCourse, told};

const LIMIT: Duration = Duration::from_mins(1);

/// A terminal of 80 columns and 24 rows on which xtask plays a small course.
struct Terminal {
    keys: File,
    /// What the player has open, kept to see the modes after its end.
    screen: OwnedFd,
    shown: Receiver<Vec<u8>>,
    seen: String,
    player: Child,
    course: SmallCourse,
}

impl Terminal {
    fn playing(arguments: &[&str]) -> Self {
        Self::playing_in(SmallCourse::new(), arguments)
    }

    /// Starts to play in a session of its own, whose terminal this is.
    fn playing_in(course: SmallCourse, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).expect("a new terminal");
        grantpt(&keys).expect("its other end may be used");
        unlockpt(&keys).expect("its other end can be used");
        let screen = ioctl_tiocgptpeer(&keys, flags).expect("its other end");
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&keys, size).expect("its size");

        let xtask = course.command(arguments);
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(xtask.get_program());
        command.args(xtask.get_args()).env("TERM", "xterm");
        for (name, value) in xtask.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let end = || screen.try_clone().expect("a descriptor");
        command.stdin(end()).stdout(end()).stderr(end());
        let player = command.spawn().expect("xtask starts");

        let keys = File::from(keys);
        let mut source = keys.try_clone().expect("a descriptor");
        let (sender, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            keys,
            screen,
            shown,
            seen: String::new(),
            player,
            course,
        }
    }

    /// Waits until a text is shown that was not yet waited for, and gives what was shown before it.
    fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                let mut before: String = self.seen.drain(..at + text.len()).collect();
                before.truncate(at);
                return before;
            }
            self.look(start);
        }
    }

    /// Waits for the end of the line of which the beginning was waited for.
    fn rest_of_line(&mut self) -> String {
        let start = Instant::now();
        loop {
            if let Some((line, _)) = self.seen.split_once("\r\n") {
                return line.to_owned();
            }
            self.look(start);
        }
    }

    /// Waits for more to be shown, within the limit.
    fn look(&mut self, start: Instant) {
        let left = LIMIT.saturating_sub(start.elapsed());
        let bytes = self.shown.recv_timeout(left);
        let bytes = bytes.unwrap_or_else(|end| panic!("{end}; shown was {:?}", self.seen));
        self.seen.push_str(&String::from_utf8_lossy(&bytes));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a key");
    }

    /// Tells whether the terminal hands over lines and shows what is typed, as terminals do.
    fn has_its_own_ways(&self) -> bool {
        let modes = tcgetattr(&self.screen).expect("its modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        self.wait_until("xtask ends", |terminal| {
            status = terminal.player.try_wait().expect("its state");
            status.is_some()
        });
        status.expect("it has ended")
    }

    fn signal(&self, name: &str) {
        signal(name, &self.player.id().to_string());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only where a test has failed is there still something to be ended.
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}

fn signal(name: &str, pid: &str) {
    let kill = told(Command::new("kill").args(["-s", name, pid]));
    assert_eq!(kill.status, Some(0), "{kill:?}");
}

/// Gives the letter that `ps` shows for the state of a process, or nothing when it is gone.
fn state(pid: &str) -> String {
    let state = told(Command::new("ps").args(["-o", "stat=", "-p", pid])).out;
    state.trim().chars().take(1).collect()
}

/// Tells whether some process runs a program that lies below a folder.
fn is_at_work(folder: &str) -> bool {
    let all = told(Command::new("ps").args(["-e", "-o", "args="])).out;
    all.lines().any(|line| line.starts_with(folder))
}

#[test]
fn single_keys_do_without_enter_and_the_terminal_gets_its_ways_back() {
    let mut terminal = Terminal::playing(&["lesson", "greeting", "--step"]);
    terminal.wait_for("Enter: go on");
    assert!(!terminal.has_its_own_ways());
    // A space, and a remote control's Page Down.
    terminal.press(" ");
    terminal.wait_for("Enter: run it");
    terminal.press("\x1b[6~");
    terminal.wait_for("live hello from ");
    terminal.wait_for("r: again");
    terminal.press("r");
    terminal.wait_for("live hello from ");
    terminal.wait_for("r: again");
    terminal.press("x");
    terminal.wait_for("Enter goes on, b goes back");
    terminal.wait_for("r: again");
    terminal.press("b");
    terminal.wait_for("The opening of greeting.");
    terminal.wait_for("Enter: go on");
    terminal.press("q");
    terminal.wait_for("$ cargo xtask lesson greeting --step --from greeting hello");
    assert!(terminal.end().success());
    assert!(terminal.has_its_own_ways());
}

#[test]
fn in_plain_text_too_a_page_and_its_question_fit_on_the_terminal() {
    const ROWS: usize = 24;
    let course = SmallCourse::new();
    // With the headings, the label and the empty lines between them these are 22 lines and 24 rows.
    let prose = "Guess, and guess again.\n".repeat(20);
    let short = "    // as wide as it may be\n".repeat(5);
    let wide = format!("    // {}\n", "wide ".repeat(16)).repeat(2);
    course.replace(
        "lessons/greeting/README.md",
        "Guess.\n\n```rust\nfn hello() {}\n",
        &format!("{prose}\n```rust\n{short}{wide}"),
    );
    let mut terminal = Terminal::playing_in(
        course,
        &["lesson", "greeting", "hello", "--step", "--plain"],
    );
    let mut questions = 0;
    loop {
        let page = terminal.wait_for("[Enter: ");
        let rows: usize = page
            .lines()
            .map(|line| line.chars().count().div_ceil(80).max(1))
            .sum();
        // The question has a row, and there is one below it.
        assert!(rows + 2 <= ROWS, "{rows} rows, {questions} before: {page}");
        assert_eq!(page.contains("Step hello"), questions == 0, "{page}");
        questions += 1;
        if terminal.rest_of_line().starts_with("run it") {
            break;
        }
        terminal.press("\n");
    }
    assert_eq!(questions, 2);
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn whatever_ends_the_waiting_gives_the_terminal_its_ways_back() {
    // Ctrl-C, Ctrl-D, and a signal from elsewhere.
    for (key, is_orderly) in [("\x03", false), ("\x04", true), ("", false)] {
        let mut terminal = Terminal::playing(&["lesson", "greeting", "--step"]);
        terminal.wait_for("Enter: go on");
        assert!(!terminal.has_its_own_ways());
        if key.is_empty() {
            terminal.signal("TERM");
        } else {
            terminal.press(key);
        }
        let status = terminal.end();
        assert_eq!(status.success(), is_orderly, "{key:?}: {status}");
        assert!(terminal.has_its_own_ways(), "after {key:?}");
    }
}

#[test]
fn an_interruption_during_a_run_ends_the_step_and_gives_the_terminal_back() {
    let mut terminal = Terminal::playing(&["lesson", "trouble", "sleeps", "--step"]);
    terminal.wait_for("Enter: run it");
    terminal.press("\n");
    terminal.wait_for("sleeping in ");
    let step = terminal.rest_of_line();
    terminal.press("\x03");
    assert!(!terminal.end().success());
    assert!(terminal.has_its_own_ways());
    terminal.wait_until("the step ends", |_| ["", "Z"].contains(&&*state(&step)));
}

#[test]
fn suspended_it_gives_the_terminal_back_and_asks_again_when_it_goes_on() {
    let mut terminal = Terminal::playing(&["lesson", "greeting", "--step"]);
    terminal.wait_for("Enter: go on");
    let player = terminal.player.id().to_string();
    terminal.signal("TSTP");
    terminal.wait_until("it stops", |_| state(&player) == "T");
    assert!(terminal.has_its_own_ways());
    terminal.signal("CONT");
    terminal.wait_for("Enter: go on");
    assert!(!terminal.has_its_own_ways());
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(terminal.has_its_own_ways());
}

#[test]
fn an_interruption_while_a_lesson_is_built_ends_the_building() {
    let slow = "fn main() { std::thread::sleep(std::time::Duration::from_secs(50)) }";
    let course = SmallCourse::new();
    course.write("lessons/greeting/build.rs", slow);
    let mut terminal = Terminal::playing_in(course, &["lesson", "greeting", "--step"]);
    terminal.wait_for("Enter: go on");
    terminal.press("\n");
    terminal.wait_for("Enter: run it");
    terminal.press("\n");
    terminal.wait_for("Building lesson greeting");
    terminal.press("\x03");
    assert!(!terminal.end().success());
    let target = terminal.course.path("target").display().to_string();
    terminal.wait_until("the building ends", |_| !is_at_work(&target));
}

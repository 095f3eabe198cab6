//! `cargo xtask lesson --step` on a terminal, with single keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::small_course::{SmallCourse, run_to_end, signal, state, wait_until};

const LIMIT: Duration = Duration::from_mins(1);

/// A terminal of 80 columns and 24 rows, where xtask plays a small course.
struct Terminal {
    keys: File,
    /// The terminal's other end, kept open to check the modes after the player has ended.
    screen: OwnedFd,
    shown: Receiver<Vec<u8>>,
    seen: String,
    player: Child,
    course: SmallCourse,
}

fn set_size(keys: &impl AsFd, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(keys, size).expect("its size");
}

impl Terminal {
    fn playing(arguments: &str) -> Self {
        Self::playing_in(SmallCourse::new(), "exec \"$@\"", arguments)
    }

    /// Has a shell script start xtask in a new session with this terminal.
    fn playing_in(course: SmallCourse, script: &str, arguments: &str) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).expect("a new terminal");
        grantpt(&keys).expect("its other end may be used");
        unlockpt(&keys).expect("its other end can be used");
        let screen = ioctl_tiocgptpeer(&keys, flags).expect("its other end");
        set_size(&keys, 24);
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let xtask = course.command(&arguments);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-c", script, "sh"]);
        command.arg(xtask.get_program());
        command.args(xtask.get_args()).env("TERM", "xterm");
        let variables = xtask.get_envs();
        command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("NO_COLOR");
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

    /// Waits for a text after the last one that was waited for, and returns what was shown before it.
    fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let before = before.to_owned();
                self.seen = after.to_owned();
                return before;
            }
            let left = LIMIT.saturating_sub(start.elapsed());
            let bytes = self.shown.recv_timeout(left);
            let bytes = bytes.unwrap_or_else(|end| panic!("{end}; shown was {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a key");
    }

    /// Returns whether the terminal reads whole lines with echo, which are its original modes.
    fn has_original_modes(&self) -> bool {
        let modes = tcgetattr(&self.screen).expect("its modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end of xtask, and checks that the terminal has its original modes again.
    fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("xtask ends", || {
            status = self.player.try_wait().expect("its state");
            status.is_some()
        });
        assert!(self.has_original_modes());
        status.expect("it has ended")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If a test has failed, xtask may still be running.
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}

#[test]
fn keys_need_no_enter_and_a_suspended_player_restores_the_terminal() {
    let mut terminal = Terminal::playing("lesson greeting --step");
    terminal.wait_for("Enter: continue");
    assert!(!terminal.has_original_modes());
    let player = terminal.player.id();
    signal("TSTP", player);
    wait_until("it stops", || state(player) == "T");
    assert!(terminal.has_original_modes());
    signal("CONT", player);
    // The prompt is shown again. Then a space, and a remote control's Page Down.
    terminal.wait_for("Enter: continue");
    assert!(!terminal.has_original_modes());
    terminal.press(" ");
    terminal.wait_for("Enter: run it");
    terminal.press("\x1b[6~");
    terminal.wait_for("live hello from ");
    terminal.wait_for("r: again");
    terminal.press("r");
    terminal.wait_for("live hello from ");
    terminal.wait_for("r: again");
    terminal.press("x");
    terminal.wait_for("Enter, space or Page Down continues;");
    terminal.wait_for("r: again");
    terminal.press("b");
    terminal.wait_for("The opening of greeting.");
    terminal.wait_for("Enter: continue");
    terminal.press("q");
    terminal.wait_for("$ cargo xtask lesson greeting --step --from greeting hello");
    assert!(terminal.end().success());
}

#[test]
fn a_page_and_its_prompt_fit_on_the_terminal_in_plain_text_too() {
    const ROWS: usize = 24;
    let course = SmallCourse::new();
    // With the headings, the label and the empty lines, these are 22 lines and 23 rows.
    let prose = "Guess, and guess again.\n".repeat(20);
    let short = "    // as wide as it may be\n".repeat(7);
    let wide = format!("    // {}\n", "wide ".repeat(16)).repeat(2);
    course.replace(
        "lessons/greeting/README.md",
        "Guess.\n\n```rust\nfn hello() {}\n",
        &format!("{prose}\n```rust\n{short}{wide}"),
    );
    let arguments = "lesson greeting hello --step --plain";
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", arguments);
    for question in ["more", "run it"] {
        let page = terminal.wait_for("[Enter: ");
        let rows = page.lines().map(|line| line.len().div_ceil(80).max(1));
        // The prompt has a row, and there is one below it.
        assert!(rows.sum::<usize>() + 2 <= ROWS, "before {question}: {page}");
        assert_eq!(page.contains("step hello"), question == "more", "{page}");
        assert_eq!(terminal.wait_for(" "), question.split(' ').next().unwrap());
        // If you enlarge the terminal, no page is shown again.
        set_size(&terminal.keys, 30);
        terminal.press(if question == "more" { "\n" } else { "q" });
    }
    assert!(terminal.end().success());
}

#[test]
fn however_a_wait_ends_the_terminal_is_restored() {
    // Ctrl-C, Ctrl-D, and a signal from another process.
    for (key, is_orderly) in [("\x03", false), ("\x04", true), ("", false)] {
        let mut terminal = Terminal::playing("lesson greeting --step");
        terminal.wait_for("Enter: continue");
        assert!(!terminal.has_original_modes());
        if key.is_empty() {
            signal("TERM", terminal.player.id());
        } else {
            terminal.press(key);
        }
        assert_eq!(terminal.end().success(), is_orderly, "{key:?}");
    }
}

#[test]
fn a_player_suspended_by_a_shell_obeys_a_signal() {
    let script = "set -m; \"$@\"; kill -s TERM %1; kill -s CONT %1; \
                  while kill -s 0 %1; do sleep 0.1; done; echo ended";
    let course = SmallCourse::new();
    let mut terminal = Terminal::playing_in(course, script, "lesson greeting --step");
    terminal.wait_for("Enter: continue");
    terminal.press("\x1a");
    terminal.wait_for("\r\nended");
    assert!(terminal.end().success());
}

#[test]
fn an_interruption_ends_the_step_or_the_build_and_restores_the_terminal() {
    let mut terminal = Terminal::playing("lesson trouble sleeps --step");
    terminal.wait_for("Enter: run it");
    terminal.press("\n");
    terminal.wait_for("sleeping in ");
    let step = terminal.wait_for("\r\n");
    terminal.press("\x03");
    assert!(!terminal.end().success());
    wait_until("the step ends", || ["", "Z"].contains(&&*state(&step)));

    let slow = "fn main() { std::thread::sleep(std::time::Duration::from_secs(50)) }";
    let course = SmallCourse::new();
    course.write("lessons/greeting/build.rs", slow);
    let arguments = "lesson greeting hello --step";
    let mut terminal = Terminal::playing_in(course, "exec \"$@\"", arguments);
    terminal.wait_for("Enter: run it");
    terminal.press("\n");
    terminal.wait_for("Building ");
    terminal.press("\x03");
    assert!(!terminal.end().success());
    let target = terminal.course.path("target").display().to_string();
    wait_until("the building ends", || {
        let all = run_to_end(Command::new("ps").args(["-e", "-o", "args="])).out;
        !all.lines().any(|line| line.starts_with(&target))
    });
}

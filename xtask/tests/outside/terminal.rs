//! A terminal for the tests, where xtask shows pages and waits for keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use regex_lite::Regex;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::small_course::{SmallCourse, wait_until};

const LIMIT: Duration = Duration::from_mins(1);

/// A terminal of 80 columns and 24 rows, where xtask plays a small course.
pub(crate) struct Terminal {
    pub(crate) keys: File,
    /// The terminal's other end, kept open to check the modes after the player has ended.
    screen: OwnedFd,
    shown: Receiver<Vec<u8>>,
    /// What was shown after the last text that was waited for, without escape sequences.
    seen: String,
    /// The beginning of an escape sequence whose end hasn't come yet.
    begun: String,
    pub(crate) player: Child,
    pub(crate) course: SmallCourse,
}

impl Terminal {
    pub(crate) fn playing(arguments: &str) -> Self {
        Self::playing_in(SmallCourse::new(), "exec \"$@\"", arguments)
    }

    /// Has a shell script start xtask in a new session with this terminal.
    pub(crate) fn playing_in(course: SmallCourse, script: &str, arguments: &str) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).expect("a new terminal");
        grantpt(&keys).expect("its other end may be used");
        unlockpt(&keys).expect("its other end can be used");
        let screen = ioctl_tiocgptpeer(&keys, flags).expect("its other end");
        set_rows(&keys, 24);
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let xtask = course.command(&arguments);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-c", script, "sh"]);
        command.arg(xtask.get_program());
        command.args(xtask.get_args()).env("TERM", "xterm");
        command.current_dir(course.path(""));
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
            begun: String::new(),
            player,
            course,
        }
    }

    /// Waits for a text after the last one that was waited for, and returns what was shown before it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let before = before.to_owned();
                self.seen = after.to_owned();
                return before;
            }
            let left = LIMIT.saturating_sub(start.elapsed());
            let bytes = self.shown.recv_timeout(left);
            let bytes = bytes.unwrap_or_else(|end| panic!("{end}; no {text:?} in {:?}", self.seen));
            self.take(&String::from_utf8_lossy(&bytes));
        }
    }

    fn take(&mut self, text: &str) {
        let text = std::mem::take(&mut self.begun) + text;
        let sequence = Regex::new("\x1b\\[[0-9;?]*[A-Za-z]").expect("a pattern");
        let text = sequence.replace_all(&text, "");
        let (text, begun) = text.split_at(text.find('\x1b').unwrap_or(text.len()));
        self.seen.push_str(text);
        begun.clone_into(&mut self.begun);
    }

    /// Presses keys, and waits for a text after each, from lines such as `b => The opening`. `.` is Enter, and
    /// `<` is Page Up.
    pub(crate) fn follow(&mut self, script: &str) {
        for line in script.lines() {
            let Some((keys, text)) = line.split_once(" => ") else {
                continue;
            };
            self.press(&keys.trim().replace('.', "\r").replace('<', "\x1b[5~"));
            self.wait_for(text);
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a key");
    }

    /// Returns whether the terminal reads whole lines with echo, which are its original modes.
    pub(crate) fn has_original_modes(&self) -> bool {
        let modes = tcgetattr(&self.screen).expect("its modes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end of xtask, and checks that the terminal has its original modes again.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("xtask ends", || {
            status = self.player.try_wait().expect("its state");
            status.is_some()
        });
        assert!(self.has_original_modes());
        status.expect("it has ended")
    }
}

pub(crate) fn set_rows(keys: &impl AsFd, rows: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(keys, size).expect("its size");
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // If a test has failed, xtask may still be running.
        let _ = self.player.kill();
        let _ = self.player.wait();
    }
}

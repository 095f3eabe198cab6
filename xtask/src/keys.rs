//! The keys that answer a prompt.

use std::io::{self, BufRead, IsTerminal, stdin};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use course::interruption;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};

pub(crate) const KEYS: &str = "Enter, space or Page Down continues; b or Page Up goes back; r runs again; \
                               s goes to the next lesson; q quits.";

/// How often a wait for a key checks whether the program has been suspended and resumed.
const CHECK: Duration = Duration::from_millis(200);

/// The terminal's original modes: line by line, with echo.
static ORIGINAL_MODES: OnceLock<Termios> = OnceLock::new();

/// Whether the program has resumed after a suspension: then the prompt is shown again.
static HAS_RESUMED: AtomicBool = AtomicBool::new(false);

/// The source of answers: single keys of a terminal, or else lines.
pub(crate) struct Keyboard {
    is_terminal: bool,
}

impl Keyboard {
    /// Opens standard input. A terminal doesn't echo keys until this is dropped; Ctrl-C and Ctrl-Z still work.
    pub(crate) fn open() -> io::Result<Self> {
        let is_terminal = stdin().is_terminal();
        if is_terminal {
            let modes = tcgetattr(stdin())?;
            ORIGINAL_MODES.get_or_init(|| modes);
            interruption::with_terminal(set_modes);
            interruption::watch()?;
            set_modes(true);
        }
        Ok(Self { is_terminal })
    }

    /// Waits for an answer to the prompt that `ask` shows, and returns its letter.
    pub(crate) fn answer(&mut self, mut ask: impl FnMut() -> io::Result<()>) -> io::Result<char> {
        if self.is_terminal {
            return Ok(letter(&key(ask)?));
        }
        ask()?;
        let mut line = Vec::new();
        stdin().lock().read_until(b'\n', &mut line)?;
        Ok(letter(&line))
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        set_modes(false);
    }
}

/// Returns the letter of [`KEYS`] for a line of input or the bytes of one key: a newline for Enter, and `?`
/// for an unknown key. Page Up, Page Down and the arrows work too, because presenters' remote controls send
/// them.
fn letter(bytes: &[u8]) -> char {
    match bytes {
        b"\x1b[6~" | b"\x1b[C" | b"\x1bOC" => '\n',
        b"\x1b[5~" | b"\x1b[D" | b"\x1bOD" => 'b',
        // The end of input, or Ctrl-D.
        b"" | b"\x04" => 'q',
        _ => match bytes.trim_ascii() {
            b"" => '\n',
            [letter @ (b'b' | b'r' | b's' | b'q')] => char::from(*letter),
            _ => '?',
        },
    }
}

/// Calls `ask`, waits for a key, and returns its bytes; none if the terminal is gone. Discards what was
/// typed before. Calls `ask` again after a suspension.
fn key(mut ask: impl FnMut() -> io::Result<()>) -> io::Result<Vec<u8>> {
    let timeout = Timespec::try_from(CHECK).map_err(io::Error::other)?;
    tcflush(stdin(), QueueSelector::IFlush)?;
    HAS_RESUMED.store(true, Ordering::Relaxed);
    loop {
        if HAS_RESUMED.swap(false, Ordering::Relaxed) {
            ask()?;
        }
        let stdin = stdin();
        let mut keys = [PollFd::new(&stdin, PollFlags::IN)];
        if retry_on_intr(|| poll(&mut keys, Some(&timeout)))? == 0 {
            continue;
        }
        let mut bytes = [0; 16];
        return match retry_on_intr(|| rustix::io::read(&stdin, &mut bytes)) {
            Err(Errno::IO) => Ok(Vec::new()),
            count => Ok(bytes[..count?].to_vec()),
        };
    }
}

/// Sets the terminal to single keys, or to its original modes. Not in the background, where this would stop
/// the program, and where the shell controls the modes.
fn set_modes(is_ours: bool) {
    let is_in_background = tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp());
    if let Some(mut modes) = ORIGINAL_MODES.get().cloned().filter(|_| !is_in_background) {
        if is_ours {
            modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        }
        // An error means that the terminal is gone.
        let _ = retry_on_intr(|| tcsetattr(stdin(), OptionalActions::Now, &modes));
    }
    HAS_RESUMED.fetch_or(is_ours, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn a_key_means_the_same_alone_and_as_a_line() {
        let meanings = [
            ('\n', &["\r", "\n", " ", "\x1b[6~", "\x1b[C"][..]),
            ('b', &["b", "b\n", "\x1b[5~", "\x1b[D"]),
            ('r', &["r", "r\r\n"]),
            ('s', &["s", "s\n"]),
            ('q', &["q", "q\n", "\x04", ""]),
            ('?', &["?", "x", "quit\n", "\u{e9}", "\x1b", "\x1b[A"]),
        ];
        for (meaning, inputs) in meanings {
            for input in inputs {
                assert_eq!(letter(input.as_bytes()), meaning, "{input:?}");
            }
        }
    }
}

//! The keys with which somebody says how to go on.

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

pub(crate) const KEYS: &str = "Enter, space or Page Down goes on; b or Page Up goes back; r runs again; \
                               s goes to the next lesson; q ends.";

/// How often a wait for a key checks whether the program was suspended meanwhile.
const CHECK: Duration = Duration::from_millis(200);

/// The modes that the terminal had before: it hands over lines, and shows what is typed.
static ITS_OWN: OnceLock<Termios> = OnceLock::new();

/// Whether the program has come back from being suspended: the question is shown anew.
static CAME_BACK: AtomicBool = AtomicBool::new(false);

/// Where the answers at a pause come from: single keys of a terminal, or else lines.
pub(crate) struct Keyboard {
    is_terminal: bool,
}

impl Keyboard {
    /// Takes standard input. A terminal shows no typing until this is dropped; Ctrl-C and Ctrl-Z do
    /// what they always do.
    pub(crate) fn open() -> io::Result<Self> {
        let is_terminal = stdin().is_terminal();
        if is_terminal {
            let its_own = tcgetattr(stdin())?;
            ITS_OWN.get_or_init(|| its_own);
            interruption::with_terminal(set_modes);
            interruption::watch()?;
            set_modes(true);
        }
        Ok(Self { is_terminal })
    }

    /// Waits for an answer to the question that `ask` shows, and returns its letter.
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

/// Returns the letter of [`KEYS`] that a line of input, or the bytes of one key, stand for: a newline
/// for Enter, and `?` for what is none of them. The keys that turn pages, and the arrows, work as
/// well: presenters' remote controls send them.
fn letter(bytes: &[u8]) -> char {
    match bytes {
        b"\x1b[6~" | b"\x1b[C" | b"\x1bOC" => '\n',
        b"\x1b[5~" | b"\x1b[D" | b"\x1bOD" => 'b',
        // The end of input, and Ctrl-D, which means it.
        b"" | b"\x04" => 'q',
        _ => match bytes.trim_ascii() {
            b"" => '\n',
            [letter @ (b'b' | b'r' | b's' | b'q')] => char::from(*letter),
            _ => '?',
        },
    }
}

/// Waits for a key after `ask`, and returns its bytes; none when the terminal is gone. What was
/// typed before is dropped. `ask` is called again when the program was suspended.
fn key(mut ask: impl FnMut() -> io::Result<()>) -> io::Result<Vec<u8>> {
    let timeout = Timespec::try_from(CHECK).map_err(io::Error::other)?;
    tcflush(stdin(), QueueSelector::IFlush)?;
    CAME_BACK.store(true, Ordering::Relaxed);
    loop {
        if CAME_BACK.swap(false, Ordering::Relaxed) {
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

/// Sets the terminal's modes: single keys, or those that it had before. In the background that would
/// stop this program, and the modes are the shell's concern.
fn set_modes(is_ours: bool) {
    let is_in_background = tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp());
    if let Some(mut modes) = ITS_OWN.get().cloned().filter(|_| !is_in_background) {
        if is_ours {
            modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        }
        // An error means that there is no terminal any more.
        let _ = retry_on_intr(|| tcsetattr(stdin(), OptionalActions::Now, &modes));
    }
    CAME_BACK.fetch_or(is_ours, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn each_key_has_its_meaning_alone_and_as_a_line() {
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

//! Single keys of a terminal.

use std::io::{self, IsTerminal, Stdin, stdin, stdout};
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

/// How long a wait for a key lasts before it's a [`Key::Tick`].
const TICK: Duration = Duration::from_millis(200);

/// Begin and end of full pages: the alternate screen, without a cursor, and without a scrolling region.
const PAGES: [&str; 2] = [
    "\u{1b}[?1049h\u{1b}[?25l",
    "\u{1b}[r\u{1b}[?25h\u{1b}[?1049l",
];

/// The terminal's original modes: line by line, with echo.
static ORIGINAL_MODES: OnceLock<Termios> = OnceLock::new();

/// Whether the terminal shows full pages while this program has it.
static HAS_PAGES: AtomicBool = AtomicBool::new(false);

/// Whether the program has resumed after a suspension: then the page is shown again.
static HAS_RESUMED: AtomicBool = AtomicBool::new(false);

/// What a key of the terminal means, or why there's none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    /// Enter, space, the right arrow, or Page Down, which presenters' remote controls send.
    Forward,
    /// The left arrow, or Page Up.
    Back,
    Letter(char),
    Unknown,
    /// There was no key for a while.
    Tick,
    /// The program has resumed: the terminal shows something else.
    Resumed,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// A terminal that sends single keys.
pub(crate) struct Keyboard {
    stdin: Stdin,
    /// The bytes of keys that were pressed but not returned yet.
    bytes: Vec<u8>,
}

impl Keyboard {
    /// Opens the terminal, if standard input and output are one. It doesn't echo keys until this is dropped;
    /// Ctrl-C and Ctrl-Z still work. With `pages`, it shows full pages until then.
    pub(crate) fn open(pages: bool) -> io::Result<Option<Self>> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Ok(None);
        }
        let modes = tcgetattr(stdin())?;
        ORIGINAL_MODES.get_or_init(|| modes);
        HAS_PAGES.store(pages, Ordering::Relaxed);
        interruption::with_terminal(set_modes);
        interruption::watch()?;
        set_modes(true);
        HAS_RESUMED.store(false, Ordering::Relaxed);
        Ok(Some(Self {
            stdin: stdin(),
            bytes: Vec::new(),
        }))
    }

    /// Discards the keys that were pressed so far.
    pub(crate) fn discard(&mut self) -> io::Result<()> {
        self.bytes.clear();
        Ok(tcflush(&self.stdin, QueueSelector::IFlush)?)
    }

    /// Waits for a key.
    pub(crate) fn key(&mut self) -> io::Result<Key> {
        if self.bytes.is_empty() {
            let timeout = Timespec::try_from(TICK).map_err(io::Error::other)?;
            let mut keys = [PollFd::new(&self.stdin, PollFlags::IN)];
            if retry_on_intr(|| poll(&mut keys, Some(&timeout)))? == 0 {
                return Ok([Key::Tick, Key::Resumed][usize::from(has_resumed())]);
            }
            let mut bytes = [0; 64];
            match retry_on_intr(|| rustix::io::read(&self.stdin, &mut bytes)) {
                Err(Errno::IO) | Ok(0) => return Ok(Key::End),
                count => self.bytes.extend(&bytes[..count?]),
            }
        }
        let rest = self.bytes.split_off(first_key(&self.bytes));
        Ok(meaning(&std::mem::replace(&mut self.bytes, rest)))
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        set_modes(false);
        HAS_PAGES.store(false, Ordering::Relaxed);
    }
}

/// Returns whether the program has resumed since the last call.
pub(crate) fn has_resumed() -> bool {
    HAS_RESUMED.swap(false, Ordering::Relaxed)
}

/// Returns the number of bytes of the first key.
fn first_key(bytes: &[u8]) -> usize {
    let is_end = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'~';
    match bytes {
        [b'\x1b', b'[' | b'O', rest @ ..] => {
            let end = rest.iter().position(is_end);
            end.map_or(bytes.len(), |end| end + 3)
        }
        // Continuation bytes belong to a letter outside of ASCII.
        [_, rest @ ..] => 1 + rest.iter().take_while(|byte| **byte & 0xc0 == 0x80).count(),
        [] => 0,
    }
}

/// Returns the meaning of the bytes of one key.
fn meaning(bytes: &[u8]) -> Key {
    match bytes {
        b"\r" | b"\n" | b" " | b"\x1b[6~" | b"\x1b[C" | b"\x1bOC" => Key::Forward,
        b"\x1b[5~" | b"\x1b[D" | b"\x1bOD" => Key::Back,
        b"\x04" => Key::End,
        [letter @ 0x21..0x7f] => Key::Letter(char::from(*letter)),
        _ => Key::Unknown,
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
        if HAS_PAGES.load(Ordering::Relaxed) {
            // Not through `stdout`, which another thread may have locked.
            let codes = PAGES[usize::from(!is_ours)].as_bytes();
            let _ = retry_on_intr(|| rustix::io::write(stdout(), codes));
        }
        HAS_RESUMED.fetch_or(is_ours, Ordering::Relaxed);
        // An error means that the terminal is gone.
        let _ = retry_on_intr(|| tcsetattr(stdin(), OptionalActions::Now, &modes));
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, first_key, meaning};

    #[test]
    fn keys_of_a_keyboard_and_of_a_remote_control_have_a_meaning() {
        let meanings = [
            (
                Key::Forward,
                &["\r", "\n", " ", "\x1b[6~", "\x1b[C", "\x1bOC"][..],
            ),
            (Key::Back, &["\x1b[5~", "\x1b[D", "\x1bOD"]),
            (Key::Letter('b'), &["b"]),
            (Key::Letter('?'), &["?"]),
            (Key::End, &["\x04"]),
            (Key::Unknown, &["\u{e9}", "\x1b", "\x1b[A", "bb", "\x7f"]),
        ];
        for (expected, inputs) in meanings {
            for input in inputs {
                assert_eq!(meaning(input.as_bytes()), expected, "{input:?}");
                let followed = format!("{input}b");
                let length = first_key(followed.as_bytes());
                assert!(
                    length == input.len() || expected == Key::Unknown,
                    "{input:?}"
                );
            }
        }
    }
}

//! The keys with which somebody says how to go on.

use std::io::{self, BufRead};

/// The keys, in one line.
pub(crate) const KEYS: &str =
    "Enter goes on, b goes back, r runs again, s goes to the next lesson, q ends.";

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

/// Where the answers at a pause come from: single keys of a terminal, or else lines.
pub(crate) struct Keyboard {
    #[cfg(unix)]
    is_terminal: bool,
}

impl Keyboard {
    /// Takes standard input. A terminal shows no typing until this is dropped.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            is_terminal: terminal::begin()?,
        })
    }

    /// Waits for an answer to the question that `ask` shows, and returns its letter.
    pub(crate) fn answer(&mut self, mut ask: impl FnMut() -> io::Result<()>) -> io::Result<char> {
        #[cfg(unix)]
        if self.is_terminal {
            return Ok(letter(&terminal::key(ask)?));
        }
        ask()?;
        let mut line = Vec::new();
        io::stdin().lock().read_until(b'\n', &mut line)?;
        Ok(letter(&line))
    }
}

#[cfg(unix)]
impl Drop for Keyboard {
    fn drop(&mut self) {
        terminal::restore_modes();
    }
}

/// The modes of the terminal: its own, in which it hands over lines and shows what is typed, and
/// those for single keys. Ctrl-C and Ctrl-Z do what they always do.
#[cfg(unix)]
mod terminal {
    use std::io::{self, IsTerminal, stdin};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use course::interruption;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, retry_on_intr};
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
    };

    /// How often a wait for a key checks whether the program was suspended meanwhile.
    const CHECK: Duration = Duration::from_millis(200);

    static ITS_OWN: OnceLock<Termios> = OnceLock::new();

    /// Whether the program has come back from being suspended: the question is shown anew.
    static CAME_BACK: AtomicBool = AtomicBool::new(false);

    /// Begins with single keys, and returns whether standard input is a terminal at all.
    pub(super) fn begin() -> io::Result<bool> {
        if !stdin().is_terminal() {
            return Ok(false);
        }
        let its_own = tcgetattr(stdin())?;
        ITS_OWN.get_or_init(|| its_own);
        interruption::with_terminal(|is_ours| {
            if is_ours {
                take_again();
            } else {
                restore_modes();
            }
        });
        interruption::watch()?;
        take_again();
        Ok(true)
    }

    /// Waits for a key after `ask`, and returns its bytes; none when the terminal is gone. What was
    /// typed before is dropped. `ask` is called again when the program was suspended.
    pub(super) fn key(mut ask: impl FnMut() -> io::Result<()>) -> io::Result<Vec<u8>> {
        let stdin = stdin();
        let timeout = Timespec::try_from(CHECK).map_err(io::Error::other)?;
        tcflush(&stdin, QueueSelector::IFlush)?;
        CAME_BACK.store(true, Ordering::Relaxed);
        loop {
            if CAME_BACK.swap(false, Ordering::Relaxed) {
                ask()?;
            }
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

    /// Restores the modes that the terminal had before, if they were changed.
    pub(super) fn restore_modes() {
        set(|_| ());
    }

    /// Has single keys again after [`restore_modes`].
    fn take_again() {
        set(|modes| modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO);
        CAME_BACK.store(true, Ordering::Relaxed);
    }

    fn set(change: fn(&mut Termios)) {
        if let Some(mut modes) = ITS_OWN.get().cloned() {
            change(&mut modes);
            // An error means that there is no terminal any more.
            let _ = retry_on_intr(|| tcsetattr(stdin(), OptionalActions::Now, &modes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    fn letters<const N: usize>(inputs: [&str; N]) -> String {
        let letters = inputs.map(|input| letter(input.as_bytes()));
        letters.iter().collect()
    }

    #[test]
    fn each_key_has_its_meaning_alone_and_as_a_line() {
        let lines = ["\n", "b\n", "r\r\n", "s\n", "q\n", "?\n", "quit\n"];
        assert_eq!(letters(lines), "\nbrsq??");
        let keys = [
            "\r", "b", "r", "s", "q", "?", "x", "\u{e9}", "\x1b", "\x1b[A",
        ];
        assert_eq!(letters(keys), "\nbrsq?????");
    }

    #[test]
    fn a_remote_control_turns_pages_and_the_end_of_input_quits() {
        assert_eq!(letters([" ", "\x1b[6~", "\x1b[C"]), "\n\n\n");
        assert_eq!(letters(["\x1b[5~", "\x1b[D"]), "bb");
        assert_eq!(letters(["\x04", ""]), "qq");
    }
}

use std::io::{self, BufRead, StdinLock};

use crate::key::Key;
use crate::terminal::SingleKeys;

/// Where the answers at a pause come from: single keys of a terminal, or else lines.
pub(crate) enum Keyboard {
    Terminal(SingleKeys),
    Lines(StdinLock<'static>),
}

impl Keyboard {
    /// Takes standard input. A terminal shows no typing until this is dropped.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(match SingleKeys::begin()? {
            Some(keys) => Self::Terminal(keys),
            None => Self::Lines(io::stdin().lock()),
        })
    }

    /// Waits for an answer to the question that `ask` shows. The end of input is a wish to quit.
    pub(crate) fn answer(&mut self, mut ask: impl FnMut() -> io::Result<()>) -> io::Result<Key> {
        match self {
            Self::Terminal(keys) => Ok(match keys.read(ask)?.as_slice() {
                [] => Key::Quit,
                bytes => Key::of_bytes(bytes),
            }),
            Self::Lines(lines) => {
                ask()?;
                let mut line = Vec::new();
                Ok(match lines.read_until(b'\n', &mut line)? {
                    0 => Key::Quit,
                    _ => Key::of_line(&String::from_utf8_lossy(&line)),
                })
            }
        }
    }
}

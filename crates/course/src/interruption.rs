use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Makes sure that whatever ends or suspends this program leaves nothing behind: the programs that
/// it has started end with it, and the terminal gets its own ways back.
///
/// Only the first call does something. Where there are no signals it does nothing: there an
/// interruption reaches every process of the console by itself.
pub fn watch() -> io::Result<()> {
    platform::watch()
}

/// What is done to the terminal when this program is suspended or ended, and when it goes on.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Gives the terminal its own ways back.
    pub give_back: fn(),
    /// Takes up again what was given back.
    pub take_again: fn(),
}

static TERMINAL: Mutex<Option<Terminal>> = Mutex::new(None);

/// Lets every end and every suspension of this program give the terminal back.
pub fn with_terminal(terminal: Terminal) {
    *TERMINAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(terminal);
}

fn give_back_terminal() {
    with(|terminal| (terminal.give_back)());
}

fn take_terminal_again() {
    with(|terminal| (terminal.take_again)());
}

fn with(change: fn(Terminal)) {
    let terminal = *TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    terminal.into_iter().for_each(change);
}

/// Something is going on that must be taken back before this program ends: as long as this lives, an
/// interruption ends what it has started, but not this program itself.
#[derive(Debug)]
pub struct Delay;

/// This program was interrupted by the signal of this number while there was a [`Delay`].
#[derive(Clone, Copy, Debug)]
pub struct Interrupted(i32);

struct Delayed {
    is_on: bool,
    interrupted: Option<Interrupted>,
}

static DELAYED: Mutex<Delayed> = Mutex::new(Delayed {
    is_on: false,
    interrupted: None,
});

impl Delay {
    pub fn begin() -> io::Result<Self> {
        delayed().is_on = true;
        let delay = Self;
        watch()?;
        Ok(delay)
    }

    /// Fails if there was an interruption.
    pub fn look(&self) -> Result<(), Interrupted> {
        delayed().interrupted.map_or(Ok(()), Err)
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        delayed().is_on = false;
    }
}

impl Interrupted {
    /// Ends this program as the signal would have done at once.
    pub fn end(self) -> ExitCode {
        platform::end_as_by(self.0);
        ExitCode::FAILURE
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

fn delayed() -> MutexGuard<'static, Delayed> {
    DELAYED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use crate::{process_group, stopwatch};

    static WATCHING: Mutex<bool> = Mutex::new(false);

    pub(super) fn watch() -> io::Result<()> {
        let mut watching = WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
        if !*watching {
            let signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT])?;
            thread::spawn(move || take(signals));
            *watching = true;
        }
        Ok(())
    }

    fn take(mut signals: Signals) {
        for signal in signals.forever() {
            match signal {
                SIGCONT => super::take_terminal_again(),
                SIGTSTP => {
                    stopwatch::stand_still();
                    process_group::suspend_all();
                    super::give_back_terminal();
                    // Returns when somebody lets this program go on.
                    let _ = emulate_default_handler(signal);
                    super::take_terminal_again();
                    process_group::resume_all();
                    stopwatch::go_on();
                }
                _ => {
                    // Locked before anything ends: whoever sees it end, and looks why, is told.
                    let mut delayed = super::delayed();
                    process_group::end_all();
                    super::give_back_terminal();
                    if delayed.is_on {
                        delayed.interrupted = Some(super::Interrupted(signal));
                    } else {
                        end_as_by(signal);
                    }
                }
            }
        }
    }

    pub(super) fn end_as_by(signal: i32) {
        // It does not return, unless the signal cannot be raised.
        let _ = emulate_default_handler(signal);
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    // The same form as where it may fail.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn watch() -> io::Result<()> {
        Ok(())
    }

    pub(super) fn end_as_by(_: i32) {}
}

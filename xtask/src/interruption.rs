use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Makes sure that whatever ends or suspends this program leaves nothing behind: the programs that
/// it has started end with it, and the terminal gets its own ways back.
///
/// Only the first call does something. Where there are no signals it does nothing: there an
/// interruption reaches every process of the console by itself.
pub(crate) fn watch() -> io::Result<()> {
    platform::watch()
}

/// Something is going on that must be taken back before this program ends: as long as this lives, an
/// interruption ends what it has started, but not this program itself.
#[derive(Debug)]
pub(crate) struct Delay;

/// This program was interrupted by the signal of this number while there was a [`Delay`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted(i32);

struct Delayed {
    is_on: bool,
    interrupted: Option<Interrupted>,
}

static DELAYED: Mutex<Delayed> = Mutex::new(Delayed {
    is_on: false,
    interrupted: None,
});

impl Delay {
    pub(crate) fn begin() -> io::Result<Self> {
        delayed().is_on = true;
        let delay = Self;
        watch()?;
        Ok(delay)
    }

    /// Fails if there was an interruption.
    #[expect(clippy::unused_self, reason = "only with a delay is it told here")]
    pub(crate) fn look(&self) -> Result<(), Interrupted> {
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
    pub(crate) fn end(self) -> ExitCode {
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

    use crate::{process_group, stopwatch, terminal};

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
                SIGCONT => terminal::take_again(),
                SIGTSTP => {
                    stopwatch::stand_still();
                    process_group::suspend_all();
                    terminal::give_back();
                    // Returns when somebody lets this program go on.
                    let _ = emulate_default_handler(signal);
                    terminal::take_again();
                    process_group::resume_all();
                    stopwatch::go_on();
                }
                _ => {
                    // Locked before anything ends: whoever sees it end, and looks why, is told.
                    let mut delayed = super::delayed();
                    process_group::end_all();
                    terminal::give_back();
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

use std::io;

/// Makes sure that whatever ends or suspends this program leaves nothing behind: the programs that
/// it has started end with it, and the terminal gets its own ways back.
///
/// Only the first call does something. Where there are no signals it does nothing: there an
/// interruption reaches every process of the console by itself.
pub(crate) fn watch() -> io::Result<()> {
    platform::watch()
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use crate::{process_group, terminal};

    static WATCHING: Mutex<bool> = Mutex::new(false);

    pub(super) fn watch() -> io::Result<()> {
        let mut watching = WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
        if !*watching {
            let signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGCONT])?;
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
                    process_group::suspend_all();
                    terminal::give_back();
                    // Returns when somebody lets this program go on.
                    let _ = emulate_default_handler(signal);
                    terminal::take_again();
                    process_group::resume_all();
                }
                _ => {
                    process_group::end_all();
                    terminal::give_back();
                    let _ = emulate_default_handler(signal);
                }
            }
        }
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
}

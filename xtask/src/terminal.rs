//! The terminal's ways: by its own it hands over whole lines and shows what is typed.

pub(crate) use platform::*;

#[cfg(unix)]
mod platform {
    use std::io::{self, IsTerminal, Stdin, stdin};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use course::interruption;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
    };

    /// How often somebody looks whether the program was suspended while it waits for a key.
    const LOOK: Duration = Duration::from_millis(200);

    /// The terminal's modes while it hands over single keys.
    static MODES: Mutex<Option<Modes>> = Mutex::new(None);

    /// Whether the program has come back from being suspended, and the question is to be shown anew.
    static CAME_BACK: AtomicBool = AtomicBool::new(false);

    struct Modes {
        its_own: Termios,
        single_keys: Termios,
    }

    /// While this lives, the terminal hands over each key at once and shows none of them. Ctrl-C and
    /// Ctrl-Z do what they always do.
    pub(crate) struct SingleKeys {
        stdin: Stdin,
    }

    impl SingleKeys {
        /// Begins, unless standard input is no terminal.
        pub(crate) fn begin() -> io::Result<Option<Self>> {
            if !stdin().is_terminal() {
                return Ok(None);
            }
            interruption::with_terminal(interruption::Terminal {
                give_back,
                take_again,
            });
            interruption::watch()?;
            let its_own = tcgetattr(stdin())?;
            let mut single_keys = its_own.clone();
            single_keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            let mut modes = modes();
            set(&single_keys)?;
            *modes = Some(Modes {
                its_own,
                single_keys,
            });
            Ok(Some(Self { stdin: stdin() }))
        }

        /// Waits for the key that answers the question `ask` shows, and gives its bytes; none at
        /// the end of input. What was typed before counts for nothing. `ask` is called again when
        /// the program was suspended meanwhile.
        pub(crate) fn read(
            &mut self,
            mut ask: impl FnMut() -> io::Result<()>,
        ) -> io::Result<Vec<u8>> {
            let timeout = Timespec::try_from(LOOK).map_err(io::Error::other)?;
            tcflush(&self.stdin, QueueSelector::IFlush)?;
            CAME_BACK.store(false, Ordering::Relaxed);
            ask()?;
            loop {
                if CAME_BACK.swap(false, Ordering::Relaxed) {
                    ask()?;
                }
                let mut wanted = [PollFd::new(&self.stdin, PollFlags::IN)];
                match poll(&mut wanted, Some(&timeout)) {
                    Ok(0) | Err(Errno::INTR) => continue,
                    Ok(_) => {}
                    Err(error) => return Err(error.into()),
                }
                let mut bytes = [0; 16];
                match rustix::io::read(&self.stdin, &mut bytes) {
                    Ok(count) => return Ok(bytes[..count].to_vec()),
                    Err(Errno::INTR) => {}
                    // The terminal is gone.
                    Err(Errno::IO) => return Ok(Vec::new()),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    impl Drop for SingleKeys {
        fn drop(&mut self) {
            give_back();
            *modes() = None;
        }
    }

    /// Gives the terminal its own ways back, if they were changed.
    fn give_back() {
        if let Some(modes) = &*modes() {
            // An error means that there is no terminal any more.
            let _ = set(&modes.its_own);
        }
    }

    /// Goes on with single keys after [`give_back`], if they were wanted.
    fn take_again() {
        if let Some(modes) = &*modes() {
            let _ = set(&modes.single_keys);
            CAME_BACK.store(true, Ordering::Relaxed);
        }
    }

    fn set(modes: &Termios) -> rustix::io::Result<()> {
        rustix::io::retry_on_intr(|| tcsetattr(stdin(), OptionalActions::Now, modes))
    }

    fn modes() -> MutexGuard<'static, Option<Modes>> {
        MODES.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    /// Single keys are not to be had here: an answer is a line.
    pub(crate) enum SingleKeys {}

    impl SingleKeys {
        pub(crate) fn begin() -> io::Result<Option<Self>> {
            Ok(None)
        }

        pub(crate) fn read(&mut self, _: impl FnMut() -> io::Result<()>) -> io::Result<Vec<u8>> {
            match *self {}
        }
    }
}

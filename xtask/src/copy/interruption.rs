//! Ctrl-C and its like while a copy is made: what was begun is taken back before the program ends.

use std::fmt;
use std::process::ExitCode;

pub(super) use platform::Watch;

/// A copy was interrupted by the signal of this number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupted(pub(super) i32);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupted {
    /// Ends this program as the signal would have done at once.
    pub(super) fn end(self) -> ExitCode {
        platform::end_as_by(self.0);
        ExitCode::FAILURE
    }
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::low_level::emulate_default_handler;

    use super::Interrupted;

    /// Notices interruptions, which then do not end the program by themselves.
    pub(crate) struct Watch(Arc<AtomicUsize>);

    impl Watch {
        pub(crate) fn begin() -> io::Result<Self> {
            let last = Arc::new(AtomicUsize::new(0));
            for (signal, number) in [(SIGHUP, 1), (SIGINT, 2), (SIGTERM, 15)] {
                flag::register_usize(signal, Arc::clone(&last), number)?;
            }
            Ok(Self(last))
        }

        /// Fails if there was an interruption.
        pub(crate) fn look(&self) -> Result<(), Interrupted> {
            match self.0.load(Ordering::Relaxed) {
                0 => Ok(()),
                1 => Err(Interrupted(SIGHUP)),
                2 => Err(Interrupted(SIGINT)),
                _ => Err(Interrupted(SIGTERM)),
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

    use super::Interrupted;

    /// Notices nothing: the next copy clears away what an interrupted one left.
    pub(crate) struct Watch;

    impl Watch {
        pub(crate) fn begin() -> io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(crate) fn look(&self) -> Result<(), Interrupted> {
            Ok(())
        }
    }

    pub(super) fn end_as_by(_: i32) {}
}

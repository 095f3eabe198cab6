//! In the place of the printer, without the feature `print`.

use std::io::{self, Write};

use tracing::Level;

/// Says so where printing is asked for.
pub(super) fn print_if_asked() {
    if std::env::var_os("MULTIPROCESS_LOG").is_some() {
        // Nobody is told that standard error is closed: there is nowhere to tell it.
        let _ = writeln!(
            io::stderr(),
            "MULTIPROCESS_LOG prints nothing: build `multiprocess` with its feature `print`"
        );
    }
}

pub(super) fn print(_level: Level, _event: &dyn Fn()) {}

//! In the place of the recorder, without the feature `record`.

use std::io::{self, Write};
use std::path::Path;

pub(crate) const VARIABLE: &str = "MULTIPROCESS_RECORD";

/// Says so where a recording is asked for.
pub(super) fn record_if_asked() {
    if std::env::var_os(VARIABLE).is_some_and(|folder| !folder.is_empty()) {
        // Nobody is told that standard error is closed: there is nowhere to tell it.
        let _ = writeln!(
            io::stderr(),
            "{VARIABLE} records nothing: build `multiprocess` with its feature `record`"
        );
    }
}

pub(super) fn record(_event: &dyn Fn()) {}

pub(crate) fn folder_for_children() -> Option<&'static Path> {
    None
}

pub(crate) fn process_ends() {}

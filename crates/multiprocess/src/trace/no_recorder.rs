//! Instead of the recorder, without the feature `record`.

use std::path::Path;

pub(crate) const VARIABLE: &str = "MULTIPROCESS_RECORD";

pub(super) fn record_if_enabled() {
    if std::env::var_os(VARIABLE).is_some_and(|folder| !folder.is_empty()) {
        crate::trace::warn(
            "MULTIPROCESS_RECORD records nothing: build `multiprocess` with its feature `record`",
        );
    }
}

pub(super) fn record(_event: &dyn Fn()) {}

pub(crate) fn folder_for_children() -> Option<&'static Path> {
    None
}

pub(crate) fn process_ends() {}

//! Instead of the printer, without the feature `print`.

pub(super) fn print_if_enabled() {
    if std::env::var_os("MULTIPROCESS_LOG").is_some() {
        crate::trace::warn(
            "MULTIPROCESS_LOG prints nothing: build `multiprocess` with its feature `print`",
        );
    }
}

pub(super) fn print(_event: &dyn Fn()) {}

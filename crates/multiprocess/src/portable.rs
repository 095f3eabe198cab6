//! The switch between what Linux offers and what every system has.

use std::sync::OnceLock;

/// Whether the portable twin of each platform-specific part is to be used also where the platform's own
/// is there: `MULTIPROCESS_PORTABLE=1`, for tests.
pub(crate) fn is_forced() -> bool {
    static FORCED: OnceLock<bool> = OnceLock::new();
    *FORCED
        .get_or_init(|| std::env::var_os("MULTIPROCESS_PORTABLE").is_some_and(|value| value == "1"))
}

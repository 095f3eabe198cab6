//! The switch between what Linux offers and what every Unix system has.
//!
//! Where the program is built for another system, or with `--cfg multiprocess_twins`, only the portable twins are
//! built; on Linux `MULTIPROCESS_PORTABLE=1` chooses them when the program runs.

pub(crate) mod capacity;
pub(crate) mod exit_watch;
pub(crate) mod file_lock;
pub(crate) mod futex;
pub(crate) mod inherited;
pub(crate) mod limits;
pub(crate) mod program;
#[cfg_attr(
    not(all(target_os = "linux", not(multiprocess_twins))),
    path = "platform/no_robust_mutex.rs"
)]
pub(crate) mod robust_mutex;
pub(crate) mod signal;
pub(crate) mod spawner;

use std::sync::OnceLock;

/// Whether what only Linux offers was built.
pub(crate) const IS_LINUX: bool = cfg!(all(target_os = "linux", not(multiprocess_twins)));

/// Whether the portable twin of each platform-specific part is to be used also where the platform's own
/// is there: `MULTIPROCESS_PORTABLE=1`, for tests.
pub(crate) fn is_forced() -> bool {
    static FORCED: OnceLock<bool> = OnceLock::new();
    *FORCED
        .get_or_init(|| std::env::var_os("MULTIPROCESS_PORTABLE").is_some_and(|value| value == "1"))
}

//! Everything that differs between systems: `linux` uses what only Linux offers, `unix` is portable.
//!
//! Both have the same modules and functions. The portable ones are always built. On another system, or with `--cfg
//! multiprocess_twins`, they are the only ones; on Linux, `MULTIPROCESS_PORTABLE=1` selects them at run time, for
//! waiting, watching processes, and the folder of shared memory.

pub(crate) mod exit_watch;
pub(crate) mod file_lock;
pub(crate) mod limits;
pub(crate) mod passing;
pub(crate) mod shared_folder;
pub(crate) mod signal;
pub(crate) mod spawner;
pub(crate) mod wait_until;

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
mod linux;
#[allow(
    dead_code,
    reason = "Linux uses only those that can be chosen when the program runs"
)]
mod unix;

#[cfg(all(target_os = "linux", not(multiprocess_twins)))]
use linux as native;
#[cfg(not(all(target_os = "linux", not(multiprocess_twins))))]
use unix as native;

pub(crate) use native::{futex, inherited, process, program, robust_mutex};

use std::sync::OnceLock;

/// Returns whether the portable functions are used if there is a choice. Tests select them by
/// `MULTIPROCESS_PORTABLE=1`.
#[inline]
pub(crate) fn is_portable() -> bool {
    static FORCED: OnceLock<bool> = OnceLock::new();
    cfg!(not(all(target_os = "linux", not(multiprocess_twins))))
        || *FORCED
            .get_or_init(|| std::env::var_os("MULTIPROCESS_PORTABLE").is_some_and(|it| it == "1"))
}

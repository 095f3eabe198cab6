//! Instead of `ipc`, without that feature or on a system other than Linux: handles of the `ipc-channel` package don't
//! travel, and are refused where the name of a value's type shows them. In a field of a struct they aren't seen.

use std::any::type_name;
use std::os::fd::OwnedFd;

pub(crate) use postcard::serialize_with_flavor as serialize;

const REFUSED: &str = "it holds a handle of ipc-channel, which travels only on Linux, with the feature `ipc` of \
                       `multiprocess`; use this crate's own `channel` or `pipe`";

pub(crate) fn prepare() {}

/// Calls `write`, which serialises a `T` without files.
pub(crate) fn collect_handles<T>(
    write: impl FnOnce() -> Result<(), String>,
) -> Result<Vec<OwnedFd>, String> {
    refuse_handles::<T>(write).map(|()| Vec::new())
}

/// Calls `write`, which serialises a `T`, or refuses it.
#[inline]
pub(crate) fn refuse_handles<T>(write: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    if may_hold_handles::<T>() {
        return Err(REFUSED.to_owned());
    }
    write()
}

/// Refuses a value that came with handles: no process of this program sends them.
pub(crate) fn within<T>(_files: Vec<OwnedFd>, _read: impl FnOnce() -> T) -> Result<T, String> {
    Err(REFUSED.to_owned())
}

/// Returns whether the name of the type contains one of the package.
#[inline]
fn may_hold_handles<T>() -> bool {
    std::mem::needs_drop::<T>() && names_package(type_name::<T>())
}

fn names_package(type_name: &str) -> bool {
    let mut paths = type_name.split(|it: char| !(it.is_alphanumeric() || it == '_' || it == ':'));
    paths.any(|path| path.starts_with("ipc_channel::"))
}

#[cfg(test)]
mod tests {
    use super::names_package;

    #[test]
    fn only_types_of_the_package_itself_are_refused() {
        assert!(names_package(
            "alloc::vec::Vec<ipc_channel::ipc::IpcSender<u8>>"
        ));
        assert!(names_package("(ipc_channel::ipc::IpcSender<u8>, u8)"));
        assert!(!names_package("program::ipc_channel::Message"));
        assert!(!names_package("my_ipc_channel::Message"));
    }
}

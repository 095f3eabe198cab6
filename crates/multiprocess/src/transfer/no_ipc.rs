//! Instead of `ipc`, without that feature or on a system other than Linux: handles of the `ipc-channel` package don't
//! travel, and are refused where the name of a value's type shows them. In a field of a struct they aren't seen.

use std::any::type_name;

pub(crate) use postcard::serialize_with_flavor as serialize;

use crate::transfer::handles::Handles;

const REFUSED: &str = "it holds a handle of ipc-channel, which travels only on Linux, with the feature `ipc` of \
                       `multiprocess`; use this crate's own `channel` or `pipe`";

pub(crate) fn prepare() {}

pub(crate) enum Collector {}

impl Collector {
    /// Returns nothing to collect, or an error where the value holds a handle.
    pub(crate) fn new<T>() -> Result<Option<Collector>, String> {
        if may_hold_handles::<T>() {
            return Err(REFUSED.to_owned());
        }
        Ok(None)
    }

    pub(crate) fn collect(self) -> Result<Handles, String> {
        match self {}
    }
}

/// Refuses a value that came with handles: no process of this program sends them.
pub(crate) fn within<T>(_handles: Handles, _read: impl FnOnce() -> T) -> Result<T, String> {
    Err(REFUSED.to_owned())
}

/// Returns whether the name of the type has one of the package in it.
#[inline]
pub(crate) fn may_hold_handles<T>() -> bool {
    std::mem::needs_drop::<T>() && names_package(type_name::<T>())
}

/// Refuses a value of a type that may hold handles.
pub(crate) fn refuse_handles<R>(_write: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    Err(REFUSED.to_owned())
}

fn names_package(type_name: &str) -> bool {
    let is_in_path = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    let mut paths = type_name.split(|it| !is_in_path(it));
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

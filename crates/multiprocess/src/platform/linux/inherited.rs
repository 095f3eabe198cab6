//! The descriptors that a child inherits unintentionally.

use std::fs;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;

/// Closes the descriptors that the parent has too, such as one that it inherited from a shell: `exec` closes Rust's
/// own, but not others. Those that a library has opened in this process before `main` stay open, and all do if the
/// parent's list can't be read.
pub(crate) fn close(socket: RawFd) {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    // Collected first: the folder's own descriptor is among them, and is closed by then.
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let open: Vec<RawFd> = entries.flatten().filter_map(number).collect();
    for descriptor in open {
        if descriptor > 2 && descriptor != socket && is_inherited(descriptor) == Some(true) {
            let _ = nix::unistd::close(descriptor);
        }
    }
}

/// Returns whether the parent has the same file open under the same number, and `exec` does not close it: while it is
/// open here, nothing else gets its number.
fn is_inherited(descriptor: RawFd) -> Option<bool> {
    let parent = rustix::process::getppid()?.as_raw_nonzero().to_string();
    let is_same = file("self", descriptor)? == file(&parent, descriptor)?;
    let is_open = |process: &str| Some(!is_closed_by_start(process, descriptor)?);
    Some(is_same && is_open("self")? && is_open(&parent)?)
}

fn is_closed_by_start(process: &str, descriptor: RawFd) -> Option<bool> {
    let text = fs::read_to_string(format!("/proc/{process}/fdinfo/{descriptor}")).ok()?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
    Some(flags & libc::O_CLOEXEC != 0)
}

fn file(process: &str, descriptor: RawFd) -> Option<(u64, u64)> {
    let found = fs::metadata(format!("/proc/{process}/fd/{descriptor}")).ok()?;
    Some((found.dev(), found.ino()))
}

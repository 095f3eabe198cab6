//! Instead of what Linux says about memory: a portable program learns that it is full when it fills it.

use std::fs::File;
use std::io;

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn reserve(_name: &str, _bytes: u64) -> io::Result<()> {
    Ok(())
}

pub(crate) fn release(_name: &str, _kept: u64) {}

pub(crate) fn not_made(error: io::Error) -> io::Error {
    error
}

pub(crate) fn free_memory() -> Option<u64> {
    None
}

pub(crate) fn memfd() -> Option<io::Result<File>> {
    None
}

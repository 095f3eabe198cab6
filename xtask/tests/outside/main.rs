//! `cargo xtask` seen from outside: what it prints, and how it ends.

mod book;
mod checking;
mod copies;
mod copying;
#[cfg(unix)]
mod counterparts;
#[cfg(unix)]
mod doctoring;
mod exercises;
#[cfg(unix)]
mod interruption;
#[cfg(unix)]
mod measuring;
mod playing;
mod runs;
mod small_course;
mod stepping;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)]
mod unread;

//! `cargo xtask` seen from outside: what it prints, and how it ends.

mod book;
mod checking;
mod circles;
mod copy;
#[cfg(unix)]
mod counterparts;
#[cfg(unix)]
mod doctor;
#[cfg(unix)]
mod endings;
mod exercise;
#[cfg(unix)]
mod measuring;
mod playing;
mod repeat;
mod small_course;
#[cfg(target_os = "linux")]
mod terminal;

//! `cargo xtask` seen from outside: what it prints, and how it ends.

mod book;
mod checking;
mod copy;
#[cfg(unix)]
mod counterparts;
#[cfg(unix)]
mod doctor;
mod exercise;
mod house_rules;
#[cfg(unix)]
mod interruption;
#[cfg(unix)]
mod measuring;
mod playing;
mod repeat;
mod small_course;
mod stepping;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)]
mod unread;

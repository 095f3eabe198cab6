//! Tests of the program `xtask`: its output and its exit status.

mod book;
mod bytecodes;
mod checking;
mod circles;
mod copy;
mod counterparts;
mod doctor;
mod endings;
mod exercise;
mod lessons;
mod measuring;
#[cfg(target_os = "linux")]
mod notes;
mod playing;
#[cfg(target_os = "linux")]
mod progress;
mod reading;
mod repeat;
#[cfg(target_os = "linux")]
mod schedule;
mod small_course;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod watch;

//! `cargo xtask` seen from outside: what it prints, and how it ends.

mod house_rules;
#[cfg(unix)]
mod interruption;
mod playing;
mod small_course;

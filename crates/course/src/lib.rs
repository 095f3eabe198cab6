//! What a lesson of the course is: its manifest, its script, its programs, and how they are built and run.

pub mod build;
pub mod document;
pub mod excerpt;
pub mod interruption;
mod lessons;
pub mod manifest;
pub mod misuse;
pub mod process_group;
pub mod python;
mod python_source;
pub mod run;
pub mod rust_source;
pub mod source;
pub mod stopwatch;
pub mod transcript;

pub use lessons::{Course, Lesson, command};

//! Lessons: their manifests, their scripts (the READMEs), their programs, and how to build and run them.

pub mod build;
pub mod dialogue;
pub mod document;
pub mod excerpt;
pub mod gap;
pub mod interruption;
mod lesson;
pub mod misuse;
mod notes;
pub mod process_group;
pub mod python;
pub mod run;
pub mod source;
pub mod transcript;

use lesson::stands_alone;
pub use lesson::{Course, Lesson, command};
pub use notes::notes;

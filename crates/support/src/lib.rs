//! Code that the lessons share, so that each step shows only what it's about.
//!
//! - [`run_steps`] is the last expression of a lesson's `main`. It runs the steps that the command line
//!   names, and reports which ones failed.
//! - [`run_steps_and_races`] does the same for a lesson with races. A [`Race`] that follows a [`Schedule`]
//!   has the same outcome every time. Its actors are threads, or processes with an [`Actor`].
//! - [`run_checks`] runs the checks of an exercise, each in a process of its own and with a timeout.
//! - [`timed`] measures how long some work takes, and [`readable_time`] writes a duration with its unit.
//! - [`mark`] and [`part`] add notes to the timeline of a step, which `cargo xtask timeline` draws.
//! - [`nearest_name`] finds the name that was probably meant by a mistyped one.
//!
//! A whole lesson:
//!
//! ```
//! use std::thread;
//!
//! fn double() -> anyhow::Result<()> {
//!     let worker = thread::spawn(|| 21 * 2);
//!     let answer = worker.join().expect("the worker does not panic");
//!     println!("the worker says {answer}");
//!     anyhow::ensure!(answer == 42, "expected 42, got {answer}");
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     support::run_steps(&[("double", double)])
//! }
//! ```

#[cfg(feature = "recording")]
mod actor;
mod ask;
mod checks;
mod chooser;
mod end;
mod name;
mod print;
mod progress;
mod race;
mod replay;
mod schedule;
mod shared;
mod steps;
#[cfg(feature = "recording")]
mod timeline;
mod timing;

#[cfg(feature = "recording")]
pub use actor::Actor;
pub use checks::{Check, run_checks};
pub use end::Stopped;
pub use name::nearest_name;
pub use race::Race;
pub use schedule::Schedule;
pub use steps::{Step, run_steps, run_steps_and_races};
#[cfg(feature = "recording")]
pub use timeline::{mark, part};
pub use timing::{readable_time, timed};

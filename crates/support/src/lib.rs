//! What the lessons of the course share, so that a step shows its subject and nothing else.
//!
//! - [`run_steps`] makes a program out of a list of steps: it chooses the ones named on the command
//!   line, runs them, and tells which failed. It is the last expression of a lesson's `main`.
//! - [`run_steps_and_races`] does the same for a lesson with races. A [`Race`] comes out the same each
//!   time when it is driven by a [`Schedule`].
//! - [`run_checks`] makes a program out of the checks of an exercise, each in a process of its own and
//!   with a time limit.
//! - [`timed`] measures how long some work took, and [`readable_time`] writes that down with its unit.
//! - [`mark`] and [`part`] put notes into the timeline of a step, which `cargo xtask timeline` draws.
//! - [`nearest_name`] finds what somebody probably meant who mistyped a name.
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

mod checks;
mod name;
mod print;
mod race;
mod replay;
mod schedule;
mod steps;
#[cfg(feature = "recording")]
mod timeline;
mod timing;

pub use checks::{Check, run_checks};
pub use name::nearest_name;
pub use race::Race;
pub use schedule::Schedule;
pub use steps::{Step, run_steps, run_steps_and_races};
#[cfg(feature = "recording")]
pub use timeline::{mark, part};
pub use timing::{readable_time, timed};

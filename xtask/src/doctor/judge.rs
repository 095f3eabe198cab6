//! What is thought of each thing that was found, apart from how it was found.

mod limits;
mod programs;
mod room;
mod surroundings;
mod verdict;

#[cfg(test)]
mod tests;

pub(super) use limits::{files, tasks};
pub(super) use programs::{built, cargo, mdbook, packages, python, rust};
pub(super) use room::{disk, shared_memory, temporary};
pub(super) use surroundings::{cores, environment, leftovers, load, system, terminal};
pub(super) use verdict::{Finding, Verdict};

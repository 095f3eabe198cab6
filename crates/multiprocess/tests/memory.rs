//! Shared memory: what is left of it, and what the system must offer.

mod story;

mod memory {
    pub(crate) mod forked;
    pub(crate) mod killed;
    pub(crate) mod memory_left;
    pub(crate) mod runs;
    pub(crate) mod scarce;
    pub(crate) mod slots;
    pub(crate) mod surroundings;
}

use std::process::ExitCode;

use memory::{forked, killed, memory_left, runs, scarce, slots, surroundings};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        forked,
        killed,
        memory_left,
        runs,
        scarce,
        slots,
        surroundings
    ])
}

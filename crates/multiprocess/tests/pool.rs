//! Pools of workers.

mod story;

mod pool {
    pub(crate) mod calls;
    pub(crate) mod ends;
    pub(crate) mod failures;
    pub(crate) mod handles;
    pub(crate) mod workers;
}

use std::process::ExitCode;

use pool::{calls, ends, failures, handles, workers};

fn main() -> ExitCode {
    story::play_programs(story::programs![calls, ends, failures, handles, workers])
}

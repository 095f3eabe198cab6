//! Pools of workers.

mod story;

mod pool {
    pub(crate) mod calls;
    pub(crate) mod deaths;
    pub(crate) mod drops;
    pub(crate) mod ends;
    pub(crate) mod failing_values;
    pub(crate) mod failures;
    pub(crate) mod handles;
    pub(crate) mod workers;
}

use std::process::ExitCode;

use pool::{calls, deaths, drops, ends, failing_values, failures, handles, workers};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        calls,
        deaths,
        drops,
        ends,
        failing_values,
        failures,
        handles,
        workers
    ])
}

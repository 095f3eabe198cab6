//! Values and handles in flight to another process.

mod story;

mod transfer {
    pub(crate) mod handles;
    pub(crate) mod not_carried;
    pub(crate) mod refusals;
    pub(crate) mod returned;
    pub(crate) mod strays;
    pub(crate) mod values;
}

use std::process::ExitCode;

use transfer::{handles, not_carried, refusals, returned, strays, values};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        handles,
        not_carried,
        refusals,
        returned,
        strays,
        values
    ])
}

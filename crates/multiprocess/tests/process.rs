//! The life of processes: how they start, what they say, and how they end.

mod story;

mod process {
    pub(crate) mod daemons;
    pub(crate) mod deaths;
    pub(crate) mod ends;
    pub(crate) mod events;
    pub(crate) mod exits;
    pub(crate) mod fails;
    pub(crate) mod inherited;
    pub(crate) mod join;
    pub(crate) mod many;
    pub(crate) mod messages;
    pub(crate) mod names;
    pub(crate) mod output;
    pub(crate) mod own_panics;
    pub(crate) mod panics;
    pub(crate) mod recording;
    pub(crate) mod start;
    pub(crate) mod unknown_ends;
}

use std::process::ExitCode;

use process::{
    daemons, deaths, ends, events, exits, fails, inherited, join, many, messages, names, output,
    own_panics, panics, recording, start, unknown_ends,
};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        daemons,
        deaths,
        ends,
        events,
        exits,
        fails,
        inherited,
        join,
        many,
        messages,
        names,
        output,
        own_panics,
        panics,
        recording,
        start,
        unknown_ends
    ])
}

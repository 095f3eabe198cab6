//! Queues, channels and pipes.

mod story;

mod channel {
    pub(crate) mod outside;
    pub(crate) mod pipe;
    pub(crate) mod queue;
    pub(crate) mod queue_ends;
    pub(crate) mod queue_items;
}

use std::process::ExitCode;

use channel::{outside, pipe, queue, queue_ends, queue_items};

fn main() -> ExitCode {
    story::play_programs(story::programs![
        outside,
        pipe,
        queue,
        queue_ends,
        queue_items
    ])
}

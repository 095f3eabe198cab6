//! The tasks of the course: `cargo xtask lesson` plays it, `cargo xtask` lists what else there is.

mod bench;
mod block;
mod book;
mod building;
mod check;
mod copy;
mod course;
mod doctor;
mod excerpt;
mod exercise;
mod frame;
mod gap;
mod help;
mod ink;
mod interruption;
mod key;
mod keyboard;
mod lesson;
mod list;
mod live_run;
mod look;
mod manifest;
mod markdown;
mod mdbook;
mod misuse;
mod page;
mod pause;
mod play;
mod process_group;
mod program;
mod python;
mod python_source;
mod readme;
mod runs;
mod rust_source;
mod scene;
mod screen;
mod selection;
mod source;
mod stopwatch;
mod summary;
mod sync;
mod table;
mod task;
mod terminal;
mod timeline;
mod transcript;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let result = match arguments.next() {
        None => help::run(),
        Some(name) => task::run(&name.to_string_lossy(), arguments),
    };
    result.unwrap_or_else(|error| task::report(&error))
}

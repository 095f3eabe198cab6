//! The tasks of the course: `cargo xtask lesson` plays it, `cargo xtask` lists what else there is.

mod bench;
mod block;
mod book;
mod building;
mod check;
mod copy;
mod doctor;
mod exercise;
mod frame;
mod gap;
mod help;
mod ink;
mod key;
mod keyboard;
mod lesson;
mod list;
mod look;
mod manifest;
mod markdown;
mod mdbook;
mod page;
mod pause;
mod play;
mod runs;
mod scene;
mod screen;
mod selection;
mod summary;
mod svg;
mod table;
mod task;
mod terminal;
mod timeline;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let result = match arguments.next() {
        None => help::run(),
        Some(name) => task::run(&name.to_string_lossy(), arguments),
    };
    result.unwrap_or_else(|error| task::report(&error))
}

//! Starting a process that does nothing, and waiting for it.

use std::process::{Command, Stdio};

use multiprocess::spawn;

use crate::stopwatch::{Outcome, each, warmed_up};

/// Processes that are started one after the other.
const TIMES: u32 = 20;

/// The argument with which this program does nothing.
pub(crate) const NOTHING: &str = "nothing";

pub(crate) fn nothing() {}

pub(crate) fn ours() -> Outcome<Vec<f64>> {
    warmed_up(1, || {
        each(TIMES, || {
            for _ in 0..TIMES {
                spawn(nothing, ())?.join()?;
            }
            Ok(())
        })
    })
}

/// `std::process::Command` with this same program.
pub(crate) fn command() -> Outcome<Vec<f64>> {
    let program = std::env::current_exe()?;
    warmed_up(1, || {
        each(TIMES, || {
            for _ in 0..TIMES {
                let mut command = Command::new(&program);
                command.arg(NOTHING).stdin(Stdio::null()).status()?;
            }
            Ok(())
        })
    })
}

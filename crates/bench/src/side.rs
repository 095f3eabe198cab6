//! One side of a row, measured by this program, by Python, or by a program in C.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::measure::run;
use crate::rows::{Program, Row};

const SPEED_PY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/speed.py");
const BARE_MUTEX_C: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bare_mutex.c");

/// Measures one side of a row, and prints the nanoseconds of one operation, a line for each sample.
pub(crate) fn measure(row: &str, side: &str) -> Result<()> {
    let row = Row::find(row)?;
    let titles: Vec<_> = row.sides.iter().map(|side| side.title).collect();
    let side = row.sides.iter().find(|it| it.title == side);
    let side = side.with_context(|| format!("the sides of {} are {titles:?}", row.name))?;
    match side.program {
        Program::Rust(measurement) => {
            measurement()?
                .iter()
                .for_each(|nanoseconds| println!("{nanoseconds}"));
            Ok(())
        }
        Program::Python(call) => run(Command::new("python3").arg(SPEED_PY).args(call.split(' '))),
        Program::C(argument) => {
            if !bare_mutex()?.exists() {
                compile_bare_mutex()?;
            }
            run(Command::new(bare_mutex()?).arg(argument))
        }
    }
}

fn bare_mutex() -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("bare_mutex"))
}

/// Compiles the program in C. A compiler that is killed leaves files, so this is not for a process that measures.
pub(crate) fn compile_bare_mutex() -> Result<()> {
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-pthread", BARE_MUTEX_C, "-o"]);
    run(compiler.arg(bare_mutex()?))
}

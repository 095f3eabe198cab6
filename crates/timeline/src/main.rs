//! Shows what each thread and process of a recorded run did, and when: as lanes, a picture, or a trace.
//!
//! `recording` reads the files, `lanes` turns them into a timeline (`model`), and `text`, `svg` and `trace` show it.

mod lanes;
mod model;
mod recording;
mod svg;
mod text;
mod trace;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use lexopt::{Arg, Parser, ValueExt};

use crate::model::Timeline;

const USAGE: &str = "\
Usage: cargo run -q -p timeline -- FOLDER [OPTIONS]

Shows a recording: what each process and thread of a run did, and when. The
order of printed lines isn't the order in which things happened; this is. To
record a program that uses the crate multiprocess with its feature `record`,
set MULTIPROCESS_RECORD=FOLDER in its environment.

Options:
  -o, --output FILE    write a picture (map.svg), or a trace (map.json) that
                       opens in Perfetto and in Chrome's about:tracing
      --title TEXT     the heading, instead of the name of the folder
      --width COLUMNS  the width of the lanes, instead of 80
      --color          draw the lanes with colours, instead of in plain ASCII
";

fn main() -> ExitCode {
    let printed = run().and_then(|text| match io::stdout().write_all(text.as_bytes()) {
        // A reader that closes the pipe, such as `head`, is not an error.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    });
    let Err(error) = printed else {
        return ExitCode::SUCCESS;
    };
    let (status, words) = match error.downcast::<lexopt::Error>() {
        Ok(misuse) => (2, misuse.to_string()),
        Err(error) => (1, format!("{error:#}")),
    };
    let _ = writeln!(io::stderr(), "error: {words}");
    ExitCode::from(status)
}

/// Does what the command line says, and returns the text to print.
fn run() -> Result<String> {
    let (mut folder, mut title, mut output) = (None, None, None::<PathBuf>);
    let (mut width, mut plain) = (80, true);
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('o') | Arg::Long("output") => output = Some(arguments.value()?.into()),
            Arg::Long("title") => title = Some(arguments.value()?.string()?),
            Arg::Long("width") => width = arguments.value()?.parse()?,
            Arg::Long("color") => plain = false,
            Arg::Long("help") | Arg::Short('h') => return Ok(USAGE.to_owned()),
            Arg::Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    let format = output.as_deref().map(format).transpose()?;
    let folder = folder.ok_or(lexopt::Error::from("give the folder of a recording"))?;
    let title = title.unwrap_or_else(|| folder.display().to_string());
    let timeline = lanes::timeline(&recording::read(&folder)?);
    let (Some(path), Some(format)) = (output, format) else {
        return Ok(text::lines(&title, &timeline, width, plain).join("\n") + "\n");
    };
    let name = path.display();
    let written = fs::write(&path, format(&title, &timeline));
    written.with_context(|| format!("cannot write {name}"))?;
    Ok(format!("{name} written.\n"))
}

/// Returns the function that makes the contents of a file, by the extension of its name.
fn format(path: &Path) -> Result<fn(&str, &Timeline) -> String, lexopt::Error> {
    match path.extension().and_then(OsStr::to_str) {
        Some("svg") => Ok(svg::svg),
        Some("json") => Ok(trace::json),
        _ => {
            let path = path.display();
            Err(format!("{path} must end in .svg for a picture, or in .json for a trace").into())
        }
    }
}

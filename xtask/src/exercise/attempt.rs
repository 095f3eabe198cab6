//! An attempt at an exercise: builds its program and runs the checks.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::assignment::Exercise;
use crate::screen::Screen;
use crate::task::ignore_broken_pipe;
use course::build::Program;
use course::gap;
use course::run::{self, End, Line};
use course::source::{put, text_of};

/// The timeout of all checks together. Each check has its own timeout, far below this.
const TIMEOUT: Duration = Duration::from_mins(10);

/// When a file was changed, and its length.
pub(super) type Stamp = (SystemTime, u64);

/// Returns the stamp of a file, or `None` if there's none, perhaps because an editor is replacing it.
pub(super) fn stamp(file: &Path) -> Option<Stamp> {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

impl Exercise<'_> {
    /// Builds the program, runs the checks, and shows what is still wrong, or what to try next, even if the
    /// output is closed. Returns whether the text with this stamp is a solution.
    pub(super) fn attempt(&self, screen: &mut Screen) -> anyhow::Result<(bool, Option<Stamp>)> {
        let (root, name, file) = (&self.course.root, &self.lesson.name, self.file());
        let example = format!("{name}-exercise");
        let (stamp, source, built) = loop {
            let before = stamp(&file);
            let source = text_of(&file)?;
            let built = Program::build(root, name, ["--example", &example], |doing| {
                ignore_broken_pipe(screen.status("Building the exercise", doing))
            });
            // After a save during the build, it's unknown which text was built.
            if stamp(&file) == before {
                break (before, source, built);
            }
        };
        ignore_broken_pipe(screen.end_status())?;
        let program = match built {
            Ok(program) => program,
            Err(errors) => {
                let shown = screen.failure("The program does not build yet. Cargo's errors:");
                ignore_broken_pipe(shown.and_then(|()| screen.code("", "", &errors)))?;
                return Ok((false, stamp));
            }
        };
        let command = format!("cargo run -q -p {name} --example {example}");
        ignore_broken_pipe(screen.command("Run now:", &command))?;
        let end = run::run(program.command(), TIMEOUT, |line| {
            let (Line::Output(text) | Line::Error(text)) = line;
            ignore_broken_pipe(screen.output(&text))
        })?;
        ignore_broken_pipe(screen.blank())?;
        let is_solved = end.is_success();
        let shown = if is_solved {
            put(&self.solved_file, source.as_bytes())?;
            self.note_hint(0)?;
            self.show_success(screen)
        } else {
            let why = match end {
                // The checks have printed the reason.
                End::Finished(status) if status.code() == Some(1) => "Not solved yet.".to_owned(),
                end => format!("Not solved yet: {end}."),
            };
            screen.failure(&why)
        };
        ignore_broken_pipe(shown)?;
        Ok((is_solved, stamp))
    }

    fn show_success(&self, screen: &mut Screen) -> io::Result<()> {
        screen.heading("Solved: all checks passed.")?;
        for section in self.sections(false) {
            screen.blocks(&section.blocks)?;
        }
        if let Some(command) = gap::restoring(&self.course.root, Path::new(&self.program)) {
            screen.line("To restore the gap:")?;
            screen.line(&format!("    {command}"))?;
        }
        Ok(())
    }
}

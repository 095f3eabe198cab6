//! An attempt at an exercise: builds its program and runs the checks.

use std::fs::OpenOptions;
use std::io;
use std::mem;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::assignment::{Exercise, hash, stamp};
use crate::screen::Screen;
use crate::task::ignore_broken_pipe;
use course::build::Program;
use course::gap;
use course::run::{self, End, Line};
use course::source::text_of;

/// The timeout of all checks together. Each check has its own timeout, far below this.
const TIMEOUT: Duration = Duration::from_mins(10);

impl Exercise<'_> {
    /// Returns whether the file was saved after the last attempt.
    pub(super) fn is_saved(&self) -> bool {
        let now = stamp(&self.file());
        now.is_some() && now != self.tried
    }

    /// Builds the program, runs the checks, and shows what is still wrong, or what to try next, even if the
    /// output is closed. Returns whether the text that was built is a solution.
    pub(super) fn attempt(&mut self, screen: &mut Screen) -> anyhow::Result<bool> {
        let file = self.file();
        let (source, built) = loop {
            self.begin_build(&file)?;
            let source = text_of(&file)?;
            let (root, name) = (&self.course.root, &self.lesson.name);
            let built = Program::build(root, name, ["--example", &self.example()], |doing| {
                ignore_broken_pipe(screen.status("Building the exercise", doing))
            });
            // After a save during the build, it's unknown which text was built.
            if stamp(&file) == self.tried {
                break (source, built);
            }
        };
        ignore_broken_pipe(screen.end_status())?;
        let is_solved = match built {
            Ok(program) => self.run(&program, screen)?,
            Err(errors) => {
                let shown = screen.failure("The program does not build yet. Cargo's errors:");
                ignore_broken_pipe(shown.and_then(|()| screen.code("", "", &errors)))?;
                false
            }
        };
        if is_solved {
            self.note("checked", &hash(&source));
            self.note("hint", "0");
        } else {
            self.note("checked", "failed");
        }
        Ok(is_solved)
    }

    /// Makes sure that Cargo builds the text, even if it's older than the last build, such as a copy moved back.
    fn begin_build(&mut self, file: &Path) -> io::Result<()> {
        let before = mem::replace(&mut self.tried, stamp(file));
        let last_build = mem::replace(&mut self.built, SystemTime::now());
        let is_older = |(changed, _)| changed < last_build;
        if self.tried != before && self.tried.is_some_and(is_older) {
            let writable = OpenOptions::new().append(true).open(file)?;
            writable.set_modified(self.built)?;
            self.tried = stamp(file);
        }
        Ok(())
    }

    /// Runs the checks, and returns whether all of them passed.
    fn run(&self, program: &Program, screen: &mut Screen) -> anyhow::Result<bool> {
        let command = format!(
            "cargo run -q -p {} --example {}",
            self.lesson.name,
            self.example()
        );
        ignore_broken_pipe(screen.command("Run now:", &command))?;
        let end = run::run(program.command(), TIMEOUT, |line| {
            let (Line::Output(text) | Line::Error(text)) = line;
            ignore_broken_pipe(screen.output(&text))
        })?;
        ignore_broken_pipe(screen.blank())?;
        let is_solved = end.is_success();
        let shown = match end {
            _ if is_solved => self.show_success(screen),
            // The checks have printed the reason.
            End::Finished(status) if status.code() == Some(1) => screen.failure("Not solved yet."),
            end => screen.failure(&format!("Not solved yet: {end}.")),
        };
        ignore_broken_pipe(shown)?;
        Ok(is_solved)
    }

    fn example(&self) -> String {
        format!("{}-exercise", self.lesson.name)
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

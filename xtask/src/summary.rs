//! How the playing went.

use std::io;
use std::time::Duration;

use support::readable_time;

use crate::screen::Screen;
use course::Lesson;

/// The lessons that were played, in the order in which they were reached.
#[derive(Default)]
pub(crate) struct Summary<'a>(Vec<Played<'a>>);

/// How the playing of a lesson went.
pub(crate) struct Played<'a> {
    lesson: &'a Lesson,
    pub(crate) time: Duration,
    /// Whether the lesson does not build.
    pub(crate) is_broken: bool,
    /// The steps that were run, and why the last run of each failed.
    steps: Vec<(String, Option<String>)>,
}

impl<'a> Summary<'a> {
    /// Returns what is known of a lesson.
    pub(crate) fn of(&mut self, lesson: &'a Lesson) -> &mut Played<'a> {
        let is_it = |one: &Played| one.lesson.number == lesson.number;
        let place = self.0.iter().position(is_it).unwrap_or(self.0.len());
        if place == self.0.len() {
            self.0.push(Played {
                lesson,
                time: Duration::ZERO,
                is_broken: false,
                steps: Vec::new(),
            });
        }
        &mut self.0[place]
    }

    /// Returns a line for each thing that failed.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for one in &self.0 {
            let name = &one.lesson.name;
            if one.is_broken {
                failures.push(format!("- {name}: it does not build"));
            }
            for (step, failure) in &one.steps {
                let line = |reason: &String| format!("- {name} {step}: {reason}");
                failures.extend(failure.as_ref().map(line));
            }
        }
        failures
    }

    /// Shows what was played, how long it took, and what failed.
    pub(crate) fn show(&self, screen: &mut Screen) -> io::Result<()> {
        screen.heading("What was played")?;
        let names = self.0.iter().map(|one| one.lesson.name.len()).max();
        let counts = self.0.iter().map(|one| steps(one.steps.len()).len()).max();
        let (names, counts) = (names.unwrap_or(0), counts.unwrap_or(0));
        for one in &self.0 {
            let Lesson { number, name, .. } = one.lesson;
            let (steps, time) = (steps(one.steps.len()), readable_time(one.time));
            screen.line(&format!(
                "{number:>2}  {name:<names$}  {steps:<counts$}  {time:>8}"
            ))?;
        }
        screen.blank()?;
        let all_steps = steps(self.0.iter().map(|one| one.steps.len()).sum());
        let time = readable_time(self.0.iter().map(|one| one.time).sum());
        let failures = self.failures();
        if failures.is_empty() {
            return screen.line(&format!("{all_steps} in {time}. Everything worked."));
        }
        let count = failures.len();
        screen.failure(&format!("{all_steps} in {time}. Failed: {count}."))?;
        screen.lines(&failures)
    }
}

impl Played<'_> {
    /// Notes how a run of a step went: an earlier run of it no longer counts.
    pub(crate) fn note(&mut self, step: &str, failure: Option<String>) {
        self.steps.retain(|(name, _)| name != step);
        self.steps.push((step.to_owned(), failure));
    }
}

fn steps(count: usize) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} step{end}")
}

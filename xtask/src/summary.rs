//! How the playing went.

use std::io;
use std::time::Duration;

use support::readable_time;

use crate::screen::Screen;
use course::Lesson;

/// The lessons that were played, in the order in which they were reached.
#[derive(Default)]
pub(crate) struct Summary<'a> {
    played: Vec<Played<'a>>,
}

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
        let mut played = self.played.iter();
        let place = played.position(|one| one.lesson.number == lesson.number);
        let place = place.unwrap_or_else(|| {
            self.played.push(Played {
                lesson,
                time: Duration::ZERO,
                is_broken: false,
                steps: Vec::new(),
            });
            self.played.len() - 1
        });
        &mut self.played[place]
    }

    /// Returns a line for each thing that failed.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.played.iter().flat_map(Played::failures).collect()
    }

    /// Shows what was played, how long it took, and what failed.
    pub(crate) fn show(&self, screen: &mut Screen) -> io::Result<()> {
        screen.heading("What was played")?;
        let rows = self.played.iter().map(|one| {
            let Lesson { number, name, .. } = one.lesson;
            (
                number,
                name,
                steps(one.steps.len()),
                readable_time(one.time),
            )
        });
        let names = rows.clone().map(|(_, name, ..)| name.len()).max();
        let counts = rows.clone().map(|(_, _, steps, _)| steps.len()).max();
        let (names, counts) = (names.unwrap_or(0), counts.unwrap_or(0));
        for (number, name, steps, time) in rows {
            screen.line(&format!(
                "{number:>2}  {name:<names$}  {steps:<counts$}  {time:>8}"
            ))?;
        }
        screen.blank()?;
        let all_steps = steps(self.played.iter().map(|one| one.steps.len()).sum());
        let time = readable_time(self.played.iter().map(|one| one.time).sum());
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
        match self.steps.iter_mut().find(|(name, _)| name == step) {
            Some((_, last)) => *last = failure,
            None => self.steps.push((step.to_owned(), failure)),
        }
    }

    fn failures(&self) -> Vec<String> {
        let name = &self.lesson.name;
        let lesson = self
            .is_broken
            .then(|| format!("- {name}: it does not build"));
        let steps = self.steps.iter().filter_map(|(step, failure)| {
            let reason = failure.as_ref()?;
            Some(format!("- {name} {step}: {reason}"))
        });
        lesson.into_iter().chain(steps).collect()
    }
}

fn steps(count: usize) -> String {
    match count {
        1 => "1 step".to_owned(),
        _ => format!("{count} steps"),
    }
}

//! How the playing went.

use std::io;
use std::time::Instant;

use support::readable_time;

use crate::screen::Screen;

/// What was played, and how it went.
pub(crate) struct Summary {
    start: Instant,
    /// The steps that were run, and why the last run of each failed.
    steps: Vec<(String, Option<String>)>,
}

impl Summary {
    /// Begins to measure the time.
    pub(crate) fn begin() -> Self {
        Self {
            start: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Notes how a run of a step went: an earlier run of it no longer counts.
    pub(crate) fn note(&mut self, step: String, failure: Option<String>) {
        self.steps.retain(|(name, _)| *name != step);
        self.steps.push((step, failure));
    }

    /// Returns whether no step failed.
    pub(crate) fn is_good(&self) -> bool {
        self.steps.iter().all(|(_, failure)| failure.is_none())
    }

    /// Shows how many steps were run, how long the playing took, and what failed.
    pub(crate) fn show(&self, screen: &mut Screen) -> io::Result<()> {
        let end = if self.steps.len() == 1 { "" } else { "s" };
        let time = readable_time(self.start.elapsed());
        let played = format!("{} step{end} in {time}.", self.steps.len());
        if self.is_good() {
            return screen.line(&format!("{played} Everything worked."));
        }
        screen.failure(&format!("{played} Failed:"))?;
        for (step, failure) in &self.steps {
            if let Some(reason) = failure {
                screen.line(&format!("- {step}: {reason}"))?;
            }
        }
        Ok(())
    }
}

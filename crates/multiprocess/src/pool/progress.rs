//! How far a long map has come.

use std::time::Duration;

/// How far a map has come; what the function given to [`MapOptions::on_progress`](crate::MapOptions::on_progress) gets.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use multiprocess::Progress;
///
/// let elapsed = Duration::from_secs(5);
/// let progress = Progress { done: 25, total: Some(100), elapsed };
/// assert!((progress.per_second() - 5.0).abs() < 1e-9);
/// assert_eq!(progress.time_left(), Some(Duration::from_secs(15)));
/// // Without a result or a total there is no prediction.
/// assert_eq!(Progress { done: 0, ..progress }.time_left(), None);
/// assert_eq!(Progress { total: None, ..progress }.time_left(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Inputs whose result, or failure, is there.
    pub done: usize,
    /// All inputs, where their number is known beforehand.
    pub total: Option<usize>,
    /// Time since the beginning.
    pub elapsed: Duration,
}

impl Progress {
    /// Results per second so far; 0 before the first.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate has few digits")]
    pub fn per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.done as f64 / seconds
        } else {
            0.0
        }
    }

    /// Returns the time that the rest will take at the rate so far; `None` where that is unknown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate has few digits")]
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        let rate = self.per_second();
        (rate > 0.0).then(|| Duration::try_from_secs_f64(left as f64 / rate).ok())?
    }
}

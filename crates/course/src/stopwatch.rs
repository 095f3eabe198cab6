use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Measures how long something has been running. It stands still while this program is suspended, as
/// by Ctrl-Z, and with it whatever it has started.
#[derive(Debug)]
pub struct Stopwatch {
    start: Instant,
    /// For how long this program had been suspended before.
    suspended: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self::start_at(Instant::now(), &suspensions())
    }

    pub fn elapsed(&self) -> Duration {
        self.elapsed_at(Instant::now(), &suspensions())
    }

    fn start_at(now: Instant, suspensions: &Suspensions) -> Self {
        Self {
            start: now,
            suspended: suspensions.length(now),
        }
    }

    fn elapsed_at(&self, now: Instant, suspensions: &Suspensions) -> Duration {
        let suspended = suspensions.length(now).saturating_sub(self.suspended);
        let passed = now.saturating_duration_since(self.start);
        passed.saturating_sub(suspended)
    }
}

/// When this program was suspended.
struct Suspensions {
    /// The length of those that are over.
    over: Duration,
    /// The beginning of the one that is not over.
    since: Option<Instant>,
}

static SUSPENSIONS: Mutex<Suspensions> = Mutex::new(Suspensions::NONE);

/// Stops every stopwatch: from now on nothing is running. Called before this program is suspended, so
/// that no thread that goes on earlier than the one that calls [`go_on`] sees the time in between.
#[cfg_attr(not(unix), expect(dead_code, reason = "there nothing is suspended"))]
pub fn stand_still() {
    suspensions().begin(Instant::now());
}

/// Lets every stopwatch go on that [`stand_still`] has stopped.
#[cfg_attr(not(unix), expect(dead_code, reason = "there nothing is suspended"))]
pub fn go_on() {
    suspensions().end(Instant::now());
}

impl Suspensions {
    const NONE: Self = Self {
        over: Duration::ZERO,
        since: None,
    };

    fn begin(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    fn end(&mut self, now: Instant) {
        self.over = self.length(now);
        self.since = None;
    }

    /// Gives the length of all of them until now.
    fn length(&self, now: Instant) -> Duration {
        let current = self.since.map(|since| now.saturating_duration_since(since));
        self.over + current.unwrap_or_default()
    }
}

fn suspensions() -> MutexGuard<'static, Suspensions> {
    SUSPENSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Stopwatch, Suspensions};
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_stands_still_while_the_program_is_suspended() {
        let start = Instant::now();
        let at = |seconds: u32| start + seconds * SECOND;
        let mut suspensions = Suspensions::NONE;
        let watch = Stopwatch::start_at(start, &suspensions);
        assert_eq!(watch.elapsed_at(at(3), &suspensions), 3 * SECOND);

        suspensions.begin(at(3));
        let begun_meanwhile = Stopwatch::start_at(at(50), &suspensions);
        assert_eq!(watch.elapsed_at(at(100), &suspensions), 3 * SECOND);
        suspensions.end(at(100));
        assert_eq!(watch.elapsed_at(at(100), &suspensions), 3 * SECOND);
        assert_eq!(watch.elapsed_at(at(104), &suspensions), 7 * SECOND);
        assert_eq!(
            begun_meanwhile.elapsed_at(at(104), &suspensions),
            4 * SECOND
        );

        suspensions.begin(at(104));
        suspensions.end(at(200));
        assert_eq!(watch.elapsed_at(at(201), &suspensions), 8 * SECOND);
        let later = Stopwatch::start_at(at(201), &suspensions);
        assert_eq!(later.elapsed_at(at(203), &suspensions), 2 * SECOND);
    }
}

use std::env;
use std::fs;
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::bench::instruments::python_version;

/// The machine that is measured on. What cannot be found out is empty.
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) system: String,
    pub(crate) rust: String,
    pub(crate) python: String,
    pub(crate) date: String,
    /// The load averages of the last 1, 5 and 15 minutes before, as the system writes them.
    pub(crate) load: String,
    /// The part of the processors' time that others used at most when it was looked at, from 0 to 1.
    pub(crate) busy: Option<f64>,
}

/// Others may use that part without spoiling the figures.
const QUIET: f64 = 0.1;

impl Machine {
    /// Looks at this machine; takes half a second.
    pub(crate) fn here() -> Self {
        Self {
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            processor: processor().unwrap_or_default(),
            system: said_by("uname", &["-sr"]),
            rust: said_by(&env::var("RUSTC").unwrap_or("rustc".to_owned()), &["-V"]),
            python: python_version().unwrap_or_default(),
            date: said_by("date", &["+%Y-%m-%d"]),
            load: load(),
            busy: busy(),
        }
    }

    /// Looks how busy it is now, while nothing is measured; takes half a second.
    pub(crate) fn look_again(&mut self) {
        self.note(busy());
    }

    /// Keeps the worst of what was seen.
    pub(crate) fn note(&mut self, busy: Option<f64>) {
        let seen = self.busy.into_iter().chain(busy);
        self.busy = seen.max_by(f64::total_cmp);
    }

    /// Says what spoils the figures, if anything does.
    pub(crate) fn warning(&self) -> Option<String> {
        let busy = self.busy.filter(|busy| *busy > QUIET)?;
        Some(format!(
            "The machine was busy: other programs used up to {:.0} % of its processors \
             (load before: {}). On a quiet one the figures are better.",
            100.0 * busy,
            self.load
        ))
    }

    /// Describes it in one line.
    pub(crate) fn words(&self) -> String {
        let cores = match self.cores {
            1 => "one core".to_owned(),
            cores => format!("{cores} cores"),
        };
        let parts = [
            &cores,
            &self.processor,
            &self.system,
            &self.rust,
            &self.python,
            &self.date,
        ];
        let known = parts.into_iter().filter(|part| !part.is_empty());
        known.cloned().collect::<Vec<_>>().join(", ")
    }
}

/// Gives the first line that a program says, or nothing.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(Stdio::null());
    let output = command.stderr(Stdio::null()).output();
    output.map_or(String::new(), |output| {
        let said = String::from_utf8_lossy(&output.stdout);
        said.lines().next().unwrap_or("").trim().to_owned()
    })
}

fn processor() -> Option<String> {
    let Ok(text) = fs::read_to_string("/proc/cpuinfo") else {
        return Some(said_by("sysctl", &["-n", "machdep.cpu.brand_string"]));
    };
    let model = text.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Looks how much others do, while this program sleeps.
fn busy() -> Option<f64> {
    let (idle_before, all_before) = ticks()?;
    thread::sleep(Duration::from_millis(500));
    let (idle, all) = ticks()?;
    let all = all.checked_sub(all_before).filter(|all| *all > 0)?;
    let idle = idle.saturating_sub(idle_before).min(all);
    Some(f64::from(all - idle) / f64::from(all))
}

/// Ticks of all processors' idle time, and of all time.
fn ticks() -> Option<(u32, u32)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let numbers = text.lines().next()?.split_whitespace().skip(1);
    // Guests are counted under user time already.
    let ticks: Vec<u64> = numbers.take(8).map_while(|it| it.parse().ok()).collect();
    // Idle, and idle while a disk works.
    let idle = ticks.get(3)? + ticks.get(4)?;
    // Only differences are of interest, and they are small.
    let small = |ticks: u64| u32::try_from(ticks % (1 << 31)).ok();
    Some((small(idle)?, small(ticks.iter().sum())?))
}

#[cfg(test)]
mod tests {
    use super::Machine;

    fn machine() -> Machine {
        Machine {
            cores: 2,
            processor: "A processor".to_owned(),
            system: "Linux 6.18".to_owned(),
            rust: "rustc 1.95.0".to_owned(),
            python: String::new(),
            date: "2026-01-31".to_owned(),
            load: "1.50 0.70 0.30".to_owned(),
            busy: Some(0.05),
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let words = "2 cores, A processor, Linux 6.18, rustc 1.95.0, 2026-01-31";
        assert_eq!(machine().words(), words);
    }

    #[test]
    fn a_busy_machine_is_warned_of() {
        assert_eq!(machine().warning(), None);
        let mut busy = machine();
        busy.busy = Some(0.734);
        let warning = busy.warning().unwrap();
        assert!(
            warning.contains("used up to 73 % of its processors (load before: 1.50 0.70 0.30)")
        );
    }
}

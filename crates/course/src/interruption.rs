use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::process_group;

/// While this exists, an interruption ends the programs that this program has started, but not itself: it
/// can still show its results.
#[derive(Debug)]
pub struct Delay;

static IS_WATCHING: Mutex<bool> = Mutex::new(false);

/// Sets the modes of the terminal: this program's, or the original ones.
static TERMINAL: Mutex<Option<fn(is_ours: bool)>> = Mutex::new(None);

static IS_DELAYED: AtomicBool = AtomicBool::new(false);

/// The number of the signal that interrupted this program, or 0.
static INTERRUPTED: AtomicI32 = AtomicI32::new(0);

/// Handles the signals that end or suspend this program: the programs that it has started end too, and the
/// terminal gets its original modes back. Only the first call has an effect.
///
/// A signal that was ignored from the start, for instance by `nohup`, stays ignored.
pub fn watch() -> io::Result<()> {
    let mut is_watching = IS_WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_watching {
        let ignored = ignored();
        let mut signals = vec![SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT];
        signals.retain(|signal| (ignored >> (signal - 1)) & 1 == 0);
        let signals = Signals::new(signals)?;
        thread::spawn(move || handle(signals));
        *is_watching = true;
    }
    Ok(())
}

/// Registers the function that sets the terminal's modes: the original ones whenever this program ends or
/// is suspended, and this program's own when it continues.
pub fn with_terminal(set_modes: fn(is_ours: bool)) {
    *TERMINAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(set_modes);
}

/// Returns the ignored signals, one bit each; none if the system doesn't report them.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    u64::from_str_radix(mask.unwrap_or_default().trim(), 16).unwrap_or(0)
}

fn handle(mut signals: Signals) {
    for signal in signals.forever() {
        match signal {
            SIGCONT => change_terminal(true),
            SIGTSTP => {
                process_group::finish_starting();
                change_terminal(false);
                // Returns when this program continues: then there's a SIGCONT, too.
                end_by(signal);
            }
            _ => {
                // First, so that a thread that notices the end of a program can find out why.
                let is_second = INTERRUPTED.swap(signal, SeqCst) != 0;
                process_group::end_all();
                change_terminal(false);
                if is_second || !IS_DELAYED.load(SeqCst) {
                    end_by(signal);
                }
            }
        }
    }
}

fn change_terminal(is_ours: bool) {
    let terminal = *TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(set_modes) = terminal {
        set_modes(is_ours);
    }
}

fn end_by(signal: i32) {
    // Fails only if the signal can't be raised.
    let _ = emulate_default_handler(signal);
}

impl Delay {
    /// Starts to delay interruptions.
    pub fn begin() -> io::Result<Self> {
        IS_DELAYED.store(true, SeqCst);
        watch().map(|()| Self)
    }

    /// Returns whether there was an interruption. It ends this program when the delay is dropped.
    pub fn is_interrupted(&self) -> bool {
        INTERRUPTED.load(SeqCst) != 0
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        IS_DELAYED.store(false, SeqCst);
        if self.is_interrupted() {
            end_by(INTERRUPTED.load(SeqCst));
        }
    }
}

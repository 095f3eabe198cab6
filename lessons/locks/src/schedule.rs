//! A schedule lets the threads of a race act in an order that was written down before.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Nobody waits longer than this for a turn.
const LIMIT: Duration = Duration::from_secs(5);

/// Whose turn it is: one letter for each action, the letter being the name of a thread.
pub struct Schedule {
    turns: Vec<char>,
    /// How many turns have been taken.
    taken: Mutex<usize>,
    next_turn: Condvar,
}

impl Schedule {
    pub fn new(turns: &str) -> Schedule {
        Schedule {
            turns: turns.chars().collect(),
            taken: Mutex::new(0),
            next_turn: Condvar::new(),
        }
    }

    /// Waits until it is the turn of the thread `name`, and acts. Then the next turn begins.
    pub fn turn<R>(&self, name: char, action: impl FnOnce() -> R) -> R {
        let not_my_turn = |taken: &mut usize| self.turns.get(*taken) != Some(&name);
        let taken = self.taken.lock().unwrap();
        let (mut taken, wait) = self
            .next_turn
            .wait_timeout_while(taken, LIMIT, not_my_turn)
            .unwrap();
        assert!(!wait.timed_out(), "it was never the turn of thread {name}");
        let result = action();
        *taken += 1;
        self.next_turn.notify_all();
        result
    }
}

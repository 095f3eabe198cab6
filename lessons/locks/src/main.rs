mod balance;
mod deadlock;
mod killed_holder;
mod mutex;
mod printers;
mod race;
mod schedules;
mod shared_map;
#[cfg(test)]
mod tests;

use multiprocess::task;
use std::process::ExitCode;

fn main() -> ExitCode {
    multiprocess::init([
        task(printers::print_unlocked),
        task(printers::print_locked),
        task(printers::say_hello),
        task(printers::give_up),
        task(balance::change),
        task(balance::change_locked),
        task(schedules::change_by_turns),
        task(schedules::change_locked_by_turns),
        task(schedules::take_by_turns),
        task(deadlock::take_crosswise),
        task(deadlock::take_in_order),
        task(killed_holder::hold),
    ]);
    support::run_steps_and_races(
        &[
            ("race", race::race),
            ("mutex", mutex::mutex),
            ("shared-map", shared_map::shared_map),
            ("printers", printers::printers),
            ("balance", balance::balance),
            ("deadlock", deadlock::deadlock),
            ("killed-holder", killed_holder::killed_holder),
        ],
        &schedules::ALL,
    )
}

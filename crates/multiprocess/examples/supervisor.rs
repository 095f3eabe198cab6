//! Starts a process for each piece of work, and a new one if it is killed.

use std::thread;
use std::time::Duration;

use multiprocess::{Builder, Error, task};

/// The maximum number of processes for a piece of work, since it may be the work that kills them.
const TRIES: u32 = 3;

fn main() -> Result<(), Error> {
    multiprocess::init([task(work)]);
    thread::scope(|scope| {
        let supervisors: Vec<_> = (1..=3)
            .map(|piece| scope.spawn(move || supervise(piece)))
            .collect();
        for supervisor in supervisors {
            println!(
                "{}",
                supervisor.join().expect("a supervisor doesn't panic")?
            );
        }
        Ok(())
    })
}

fn supervise(piece: u32) -> Result<String, Error> {
    for number in 1.. {
        let name = format!("piece {piece}, process {number}");
        let child = Builder::new()
            .name(name)
            .daemon(true)
            .spawn(work, (piece,))?;
        if (piece, number) == (2, 1) {
            // As the system does when it runs out of memory.
            child.kill()?;
        }
        match child.join() {
            Err(error @ Error::Killed { .. }) if number < TRIES => println!("{error}"),
            ended => return ended,
        }
    }
    unreachable!("the loop returns when the last process has ended")
}

fn work(piece: u32) -> String {
    thread::sleep(Duration::from_millis(100));
    format!("piece {piece} is done, by process {}", std::process::id())
}

//! Has each piece of work done by a process of its own, and starts a new process where one was killed.

use std::thread;
use std::time::Duration;

use multiprocess::{Builder, Error, task};

/// Processes for a piece of work at most: one that kills its process each time is not tried for ever.
const TRIES: u32 = 3;

fn main() -> Result<(), Error> {
    multiprocess::init([task(work)]);
    thread::scope(|scope| {
        let supervisors: Vec<_> = (1..=3)
            .map(|piece| scope.spawn(move || supervise(piece)))
            .collect();
        for supervisor in supervisors {
            println!("{}", supervisor.join().expect("it does not panic")?);
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
            // What the system does when memory is short.
            child.kill()?;
        }
        match child.join() {
            Err(error @ Error::Killed { .. }) if number < TRIES => println!("{error}"),
            ended => return ended,
        }
    }
    unreachable!("the last process has ended in one way or another")
}

fn work(piece: u32) -> String {
    thread::sleep(Duration::from_millis(100));
    format!("piece {piece} is done, by process {}", std::process::id())
}

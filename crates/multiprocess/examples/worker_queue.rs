//! Workers take jobs from a channel until it ends, and send results through another.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use std::thread;
use std::time::Duration;

use multiprocess::{Builder, Error, Receiver, Sender, channel, current, task};

fn main() -> Result<(), Error> {
    multiprocess::init([task(worker)]);
    let (to_do, jobs) = channel()?;
    let (results, done) = channel()?;
    let mut workers = Vec::new();
    for number in 1..=3 {
        let builder = Builder::new().name(format!("worker {number}"));
        workers.push(builder.spawn(worker, (jobs.clone(), results.clone()))?);
    }
    // Now only the workers have these, so `done` ends with the last worker.
    drop((jobs, results));

    for number in 1..=12 {
        to_do.send(number)?;
    }
    drop(to_do);

    for result in &done {
        let (name, number, square) = result?;
        println!("{name}: {number} squared is {square}");
    }
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

fn worker(jobs: Receiver<u64>, results: Sender<(String, u64, u64)>) {
    let name = current().name().to_owned();
    for job in &jobs {
        let job = job.expect("a job is readable");
        thread::sleep(Duration::from_millis(20)); // the work
        let result = (name.clone(), job, job * job);
        results.send(result).expect("the main process receives");
    }
}

mod failure;
mod speed;

use anyhow::Result;
use multiprocess::{Event, Pool, task};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    multiprocess::init([
        task(doubled),
        task(squared),
        task(squared_after_go),
        task(speed::sum_of_squares),
        task(first_waits),
        task(last_opens),
        task(failure::share_of_sixty),
        task(failure::killed_at_thirteen),
    ]);
    support::run_steps(&[
        ("map", map),
        ("squares", squares),
        ("map-async", map_async),
        ("speed", speed::speed),
        ("in-order", in_order),
        ("failure", failure::failure),
    ])
}

fn doubled(number: i64) -> i64 {
    number * 2
}

fn map() -> Result<()> {
    let pool = Pool::new(3)?;
    let workers = pool.worker_pids();
    for pid in &workers {
        println!("worker: process {pid}");
    }

    let doubles = pool.map(doubled, [5, 10, 20])?;
    println!("5, 10, 20 doubled: {doubles:?}");
    let again = pool.map(doubled, doubles)?;
    println!("doubled again:     {again:?}");

    assert_eq!(pool.worker_pids(), workers, "the workers have changed");
    Ok(())
}

fn squared(number: i64) -> i64 {
    number * number
}

fn squares() -> Result<()> {
    let pool = Pool::new(3)?;
    let squares = pool.map(squared, 1..=5)?;
    pool.join();
    for square in squares {
        println!("{square}");
    }
    Ok(())
}

fn squared_after_go(input: (i64, Event)) -> i64 {
    let (number, go) = input;
    go.wait();
    squared(number)
}

fn map_async() -> Result<()> {
    let pool = Pool::new(4)?;
    let squares = pool.map(squared, 0..10)?;
    println!("map:       {squares:?}");

    let go = Event::new()?;
    let inputs = (0..10).map(|number| (number, go.clone()));
    let mut result = pool.map_async(squared_after_go, inputs)?;
    println!("the second round is running, and main goes on");
    if let Err(error) = result.get_timeout(Duration::from_millis(50)) {
        println!("{error}");
    }

    go.set();
    let squares = result.get_timeout(Duration::from_secs(1))?;
    println!("map_async: {squares:?}");
    Ok(())
}

fn first_waits(input: (u32, Event)) -> u32 {
    let (number, gate) = input;
    if number == 1 {
        gate.wait();
    }
    number
}

fn last_opens(input: (u32, Event)) -> u32 {
    let (number, gate) = input;
    if number == 5 {
        gate.set();
    }
    first_waits((number, gate))
}

fn one_by_one(pool: &Pool) -> Result<()> {
    let gate = Event::new()?;
    let inputs = (1..=5).map(|number| (number, gate.clone()));
    for number in pool.chunk_size(1).imap(last_opens, inputs)? {
        println!("imap: {}", number?);
    }
    Ok(())
}

fn as_they_come(pool: &Pool) -> Result<()> {
    let gate = Event::new()?;
    let inputs = (1..=5).map(|number| (number, gate.clone()));
    let mut results = Vec::new();
    for number in pool.chunk_size(1).imap_unordered(first_waits, inputs)? {
        results.push(number?);
        if results.len() == 4 {
            println!("four of five results have arrived, main opens the gate");
            gate.set();
        }
    }
    println!("imap_unordered: {results:?}");
    Ok(())
}

fn in_order() -> Result<()> {
    let pool = Pool::new(2)?;
    one_by_one(&pool)?;
    as_they_come(&pool)
}

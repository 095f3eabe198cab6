mod failure;
mod speed;

use anyhow::{Result, ensure};
use multiprocess::{Event, Pool, task};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    multiprocess::init([
        task(doubled),
        task(squared),
        task(squared_when_told),
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

    support::part("two rounds:");
    let doubles = pool.map(doubled, [5, 10, 20])?;
    println!("5, 10, 20 doubled: {doubles:?}");
    let once_more = pool.map(doubled, doubles.clone())?;
    println!("and once more: {once_more:?}");

    assert_eq!(doubles, [10, 20, 40]);
    assert_eq!(once_more, [20, 40, 80]);
    assert_eq!(pool.worker_pids(), workers, "the workers stay");
    Ok(())
}

fn squared(number: i64) -> i64 {
    number * number
}

fn squares() -> Result<()> {
    let pool = Pool::new(3)?;
    let squares = pool.map(squared, 1..=5)?;
    pool.join();

    for square in &squares {
        println!("{square}");
    }
    assert_eq!(squares, [1, 4, 9, 16, 25]);
    Ok(())
}

fn squared_when_told(input: (i64, Event)) -> i64 {
    let (number, go) = input;
    go.wait();
    squared(number)
}

fn map_async() -> Result<()> {
    let pool = Pool::new(4)?;
    let waited_for = pool.map(squared, 0..10)?;
    println!("map:       {waited_for:?}");

    let go = Event::new()?;
    let inputs = (0..10).map(|number| (number, go.clone()));
    let mut result = pool.map_async(squared_when_told, inputs)?;
    println!("the same is under way, and main goes on");
    let early = result.get_timeout(Duration::from_millis(50)).unwrap_err();
    println!("{early}");
    ensure!(early.is_timeout() && !result.is_ready());

    go.set();
    let squares = result.get_timeout(Duration::from_secs(1))?;
    println!("map_async: {squares:?}");
    assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
    assert_eq!(squares, waited_for);
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
    let (number, gate) = &input;
    if *number == 5 {
        gate.set();
    }
    first_waits(input)
}

fn in_order() -> Result<()> {
    let pool = Pool::new(2)?;
    let gate = Event::new()?;
    let inputs = (1..=5).map(|number| (number, gate.clone()));
    let mut in_order = Vec::new();
    for number in pool.chunk_size(1).imap(last_opens, inputs)? {
        in_order.push(number?);
    }
    println!("imap: {in_order:?}");
    assert_eq!(in_order, [1, 2, 3, 4, 5]);

    let gate = Event::new()?;
    let inputs = (1..=5).map(|number| (number, gate.clone()));
    let mut any_order = Vec::new();
    for number in pool.chunk_size(1).imap_unordered(first_waits, inputs)? {
        any_order.push(number?);
        if any_order.len() == 4 {
            println!("four of five are there, now the gate opens");
            gate.set();
        }
    }
    println!("imap_unordered: {any_order:?}");
    assert_eq!(any_order.last(), Some(&1));
    any_order.sort();
    assert_eq!(any_order, in_order);
    Ok(())
}

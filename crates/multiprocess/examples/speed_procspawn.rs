//! Calls of a trivial function, one in each message, through procspawn's pool of processes: prints nanoseconds per
//! call, for `cargo xtask bench`. A program of its own, because procspawn wants to be the first in `main` as well.

use std::time::Instant;

const CALLS: u32 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    procspawn::init();
    let workers = std::thread::available_parallelism()?.get();
    let pool = procspawn::Pool::new(workers)?;
    // The workers have started when they have answered.
    run(&pool, 100)?;
    let start = Instant::now();
    run(&pool, CALLS)?;
    println!("{}", start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    Ok(())
}

fn run(pool: &procspawn::Pool, calls: u32) -> Result<(), procspawn::SpawnError> {
    let handles: Vec<_> = (0..u64::from(calls))
        .map(|number| procspawn::spawn!(in pool, (number) || number + 1))
        .collect();
    for (number, handle) in (1..).zip(handles) {
        assert_eq!(handle.join()?, number);
    }
    Ok(())
}

use anyhow::Result;
use multiprocess::Pool;
use nix::sys::signal::{Signal, raise};

pub fn share_of_sixty(people: u32) -> u32 {
    60 / people
}

pub fn killed_at_thirteen(number: u32) -> u32 {
    if number == 13 {
        raise(Signal::SIGKILL).unwrap();
    }
    number * 2
}

fn one_panics(pool: &Pool) -> Result<()> {
    let groups = [1, 2, 0, 4];
    if let Err(error) = pool.map(share_of_sixty, groups) {
        println!("{error}");
    }
    let shares = pool.map_each(share_of_sixty, groups)?;
    for (people, share) in groups.iter().zip(shares) {
        match share {
            Ok(share) => println!("60 / {people} = {share}"),
            Err(_) => println!("60 / {people} failed"),
        }
    }
    Ok(())
}

fn one_is_killed(pool: &Pool) -> Result<()> {
    let numbers = [11, 12, 13, 14];
    if let Err(error) = pool.chunk_size(1).map(killed_at_thirteen, numbers) {
        println!("{error}");
    }
    let doubles = pool.map(killed_at_thirteen, [11, 12, 14])?;
    println!("the next map: {doubles:?}");
    Ok(())
}

pub fn failure() -> Result<()> {
    let pool = Pool::new(2)?;
    let before = pool.worker_pids();
    one_panics(&pool)?;
    one_is_killed(&pool)?;

    let mut new = pool.worker_pids();
    new.retain(|pid| !before.contains(pid));
    println!("{} workers, {} of them new", pool.workers(), new.len());
    Ok(())
}

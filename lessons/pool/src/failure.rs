use anyhow::Result;
use multiprocess::{Error, Pool};
use nix::sys::signal::{Signal, raise};

pub fn share_of_sixty(people: u32) -> u32 {
    60 / people
}

pub fn killed_at_thirteen(number: u32) -> u32 {
    if number == 13 {
        raise(Signal::SIGKILL).expect("a process may end itself");
    }
    number * 2
}

fn failed_input(error: &Error) -> Option<usize> {
    match error {
        Error::Task { index, .. } => Some(*index),
        _ => None,
    }
}

fn one_panics(pool: &Pool) -> Result<()> {
    let people = [1, 2, 0, 4];
    let error = pool.map(share_of_sixty, people).unwrap_err();
    println!("{error}");
    assert_eq!(failed_input(&error), Some(2));

    let mut shares = Vec::new();
    for share in pool.map_each(share_of_sixty, people)? {
        shares.push(share.ok());
    }
    println!("the others: {shares:?}");
    assert_eq!(shares, [Some(60), Some(30), None, Some(15)]);
    Ok(())
}

fn one_is_killed(pool: &Pool) -> Result<()> {
    let numbers = [11, 12, 13, 14];
    let one_at_a_time = pool.chunk_size(1);
    let error = one_at_a_time.map(killed_at_thirteen, numbers).unwrap_err();
    println!("{error}");
    assert_eq!(failed_input(&error), Some(2));

    let doubles = pool.map(killed_at_thirteen, [11, 12, 14])?;
    println!("the next map: {doubles:?}");
    assert_eq!(doubles, [22, 24, 28]);
    Ok(())
}

pub fn failure() -> Result<()> {
    let pool = Pool::new(2)?;
    let before = pool.worker_pids();
    one_panics(&pool)?;
    assert_eq!(pool.worker_pids(), before, "a panic costs no worker");

    one_is_killed(&pool)?;
    let after = pool.worker_pids();
    let fresh: Vec<&u32> = after.iter().filter(|pid| !before.contains(pid)).collect();
    println!("{} workers, {} of them fresh", after.len(), fresh.len());
    assert_eq!((after.len(), fresh.len()), (2, 1));
    Ok(())
}

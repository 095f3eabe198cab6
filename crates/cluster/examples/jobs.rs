//! What the tests run under `mpirun`: one job, named by the first argument.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;
use std::time::Duration;

use cluster::{ClusterPool, task};
use multiprocess::{Lock, Queue};
use serde::{Deserialize, Serialize};

fn square(number: u64) -> u64 {
    number * number
}

fn power(base: u64, exponent: u32) -> u64 {
    base.pow(exponent)
}

fn half(number: u64) -> anyhow::Result<u64> {
    anyhow::ensure!(number.is_multiple_of(2), "{number} is odd");
    Ok(number / 2)
}

fn no_seven(number: u64) {
    assert!(number != 7, "no sevens here");
}

fn kill(pid: u32) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
}

fn dies(number: u64) {
    if number == 5 {
        kill(std::process::id());
    }
}

fn kills_rank_one(_: u64) {
    if rank(0) == "1" {
        kill(multiprocess::parent().expect("this is a worker").pid());
    }
}

/// The rank in which it is called, as Open MPI says.
fn rank(_: u64) -> String {
    thread::sleep(Duration::from_millis(20));
    std::env::var("OMPI_COMM_WORLD_RANK").unwrap_or_default()
}

fn reversed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.reverse();
    bytes
}

fn locks(_: Vec<Lock>) {}

fn makes_queue(_: u64) -> Option<Queue<u64>> {
    None
}

/// Its type doesn't show that some values have a handle.
#[derive(Debug, Serialize, Deserialize)]
enum Hidden {
    Number(u64),
    Lock(Lock),
}

fn hidden(_: Hidden) {}

fn hides(number: u64) -> Hidden {
    match number {
        1 => Hidden::Lock(Lock::new().expect("there is memory")),
        _ => Hidden::Number(number),
    }
}

/// It can't be serialised if it is negative.
#[derive(Deserialize)]
struct Positive(i64);

impl Serialize for Positive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = u64::try_from(self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_u64(number)
    }
}

fn positive(_: Positive) {}

fn never(_: u64) {}

fn main() -> anyhow::Result<()> {
    cluster::init([
        task(square),
        task(power),
        task(half),
        task(no_seven),
        task(dies),
        task(kills_rank_one),
        task(rank),
        task(reversed),
        task(locks),
        task(makes_queue),
        task(hidden),
        task(hides),
        task(positive),
    ]);
    let job = std::env::args().nth(1).unwrap_or_default();
    if job == "no pool" {
        return Ok(());
    }
    let pool = ClusterPool::new()?;
    let panicking = (0..50).inspect(|number| assert!(*number < 40, "the inputs panic"));
    match job.as_str() {
        "order" => {
            println!("{:?}", pool.starmap(power, [(2, 10), (3, 2)])?);
            println!("{:?}", pool.map(square, [])?);
            let inputs = (0..3).map(|number| pool.map(square, [number]).unwrap()[0]);
            println!("{:?}", pool.map(square, inputs)?);
            // It would go on.
            let inputs = [Some(1), Some(2), Some(3), Some(4), None, Some(5)];
            let mut inputs = inputs.into_iter();
            let inputs = std::iter::from_fn(|| inputs.next().flatten());
            println!("{:?}", pool.map(square, inputs)?);
            let squares = pool.map(square, 0..100_000)?;
            let in_order = (0..)
                .zip(&squares)
                .all(|(number, it)| number * number == *it);
            println!("{} in order: {in_order}", squares.len());
        }
        "everywhere" => {
            let mut ranks = pool.map(rank, 0..60)?;
            ranks.sort_unstable();
            ranks.dedup();
            println!("{ranks:?}");
        }
        "large" => {
            // 96 MiB.
            let inputs = (0..24_u8).map(|number| [vec![number; 4 << 20], vec![255]].concat());
            let results = pool.map(reversed, inputs)?;
            let right = |(number, it): (u8, &Vec<u8>)| it[0] == 255 && it[4 << 20] == number;
            println!(
                "{} right: {}",
                results.len(),
                (0..).zip(&results).all(right)
            );
        }
        "failures" => {
            println!("{:?}", pool.map_each(half, 0..3)?);
            println!("{:?}", pool.map(no_seven, 0..20).unwrap_err());
            let mut results = pool.map_each(dies, 0..200)?;
            results.retain(Result::is_err);
            println!("{results:?}");
            println!("{:?}", pool.map_each(positive, [1, -1, 1].map(Positive))?);
            println!("{:?}", pool.map(never, 0..3).unwrap_err());
            println!(
                "{}",
                catch_unwind(AssertUnwindSafe(|| pool.map(rank, panicking))).is_err()
            );
            println!("{:?}", pool.map(square, 0..4)?);
        }
        "handles" => {
            println!("{:?}", pool.map(locks, []).unwrap_err());
            println!("{:?}", pool.map(makes_queue, [1]).unwrap_err());
            let inputs = [Hidden::Number(1), Hidden::Lock(Lock::new()?)];
            println!("{:?}", pool.map(hidden, inputs).unwrap_err());
            println!("{:?}", pool.map_each(hides, 0..3)?);
        }
        "thread" => {
            thread::spawn(move || pool.map(rank, 0..1000));
            thread::sleep(Duration::from_millis(300));
        }
        "panic" => drop(pool.map(rank, panicking)?),
        "killed rank" => drop(pool.map(kills_rank_one, 0..1000)?),
        other => anyhow::bail!("there is no job '{other}'"),
    }
    Ok(())
}

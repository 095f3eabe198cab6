use anyhow::Result;
use multiprocess::{Barrier, Builder, Deadlock, Lock, LockWait, spawn};
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(100);

pub fn take_crosswise(first: Lock, second: Lock, both: Barrier) -> LockWait {
    let _first = first.lock().unwrap();
    both.wait().unwrap(); // now each of the two holds a lock
    let error = second.lock_timeout(LIMIT).unwrap_err(); // it times out
    both.wait().unwrap(); // now both have timed out
    error.wait().unwrap()
}

pub fn take_in_order(pen: Lock, paper: Lock) {
    let _pen = pen.lock().unwrap();
    let _paper = paper.lock().unwrap();
}

pub fn deadlock() -> Result<()> {
    let pen = Lock::named("pen")?;
    let paper = Lock::named("paper")?;
    let both = Barrier::new(2)?;
    println!("crosswise:");
    let ann = Builder::new()
        .name("Ann")
        .spawn(take_crosswise, (pen.clone(), paper.clone(), both.clone()))?;
    let bob = Builder::new()
        .name("Bob")
        .spawn(take_crosswise, (paper.clone(), pen.clone(), both))?;
    let waits = [ann.join()?, bob.join()?];
    println!("{}\n{}", waits[0], waits[1]);
    let deadlock = Deadlock::among(&waits).unwrap();
    println!("a deadlock:\n{deadlock}");

    println!("both take the pen first:");
    let ann = spawn(take_in_order, (pen.clone(), paper.clone()))?;
    let bob = spawn(take_in_order, (pen, paper))?;
    ann.join()?;
    println!("Ann got both");
    bob.join()?;
    println!("Bob got both");
    Ok(())
}

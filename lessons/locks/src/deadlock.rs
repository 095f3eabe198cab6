use anyhow::{Context, Result, ensure};
use multiprocess::{Barrier, Builder, Deadlock, Lock, LockWait};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

pub fn take_crosswise(first: Lock, second: Lock, both: Barrier) -> Option<LockWait> {
    let _one = first.lock().unwrap();
    both.wait_timeout(LONG).unwrap(); // now each of the two has its first lock
    let wait = match second.lock_timeout(PATIENCE) {
        Ok(_two) => None,
        Err(error) => error.wait(),
    };
    both.wait_timeout(LONG).unwrap(); // and has it still, when both have asked for the second
    wait
}

pub fn take_in_order(first: Lock, second: Lock, both: Barrier) -> String {
    both.wait_timeout(LONG).unwrap();
    let _one = first.lock().unwrap();
    let _two = second.lock().unwrap();
    format!("{} got both", multiprocess::current().name())
}

fn crosswise(pen: &Lock, paper: &Lock) -> Result<()> {
    let both = Barrier::new(2)?;
    let pen_first = (pen.clone(), paper.clone(), both.clone());
    let paper_first = (paper.clone(), pen.clone(), both);
    let ann = Builder::new()
        .name("Ann")
        .spawn(take_crosswise, pen_first)?;
    let bob = Builder::new()
        .name("Bob")
        .spawn(take_crosswise, paper_first)?;

    let mut waits = Vec::new();
    for writer in [ann, bob] {
        let wait = writer.join()?.context("this one did not wait in vain")?;
        println!("{wait}");
        waits.push(wait);
    }
    ensure!(
        Deadlock::among(&waits[..1]).is_none(),
        "one wait is no circle"
    );
    let deadlock = Deadlock::among(&waits).context("there is no circle")?;
    println!("a deadlock:\n{deadlock}");
    assert_eq!(deadlock.waits(), waits);
    assert_eq!(waits[0].what, "the lock 'paper'");
    assert_eq!(waits[1].what, "the lock 'pen'");
    Ok(())
}

pub fn deadlock() -> Result<()> {
    let pen = Lock::named("pen")?;
    let paper = Lock::named("paper")?;
    println!("crosswise:");
    crosswise(&pen, &paper)?;

    println!("both take the pen first:");
    let both = Barrier::new(2)?;
    let mut writers = Vec::new();
    for name in ["Ann", "Bob"] {
        let arguments = (pen.clone(), paper.clone(), both.clone());
        writers.push(Builder::new().name(name).spawn(take_in_order, arguments)?);
    }
    for writer in writers {
        let name = writer.name().to_string();
        let answer = writer.join()?;
        println!("{answer}");
        assert_eq!(answer, format!("{name} got both"));
    }
    Ok(())
}

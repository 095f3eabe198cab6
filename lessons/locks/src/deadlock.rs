use anyhow::{Result, ensure};
use multiprocess::{Builder, Lock, RawValue};
use std::thread;
use std::time::Duration;

fn wait_for_the_other(ready: &RawValue<u32>) {
    ready.update(|count| count + 1);
    for _ in 0..5000 {
        if ready.get() == 2 {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the other did not come");
}

pub fn take_crosswise(
    first: Lock,
    second: Lock,
    ready: RawValue<u32>,
    patience: Duration,
) -> String {
    let _one = first.acquire().unwrap();
    wait_for_the_other(&ready); // now each of the two has its first lock
    match second.acquire_timeout(patience) {
        Ok(_two) => format!("{} got both", multiprocess::current().name()),
        Err(error) => error.to_string(),
    }
}

pub fn take_in_order(first: Lock, second: Lock, ready: RawValue<u32>) -> String {
    wait_for_the_other(&ready);
    let _one = first.acquire().unwrap();
    let _two = second.acquire().unwrap();
    format!("{} got both", multiprocess::current().name())
}

fn crosswise(pen: &Lock, paper: &Lock) -> Result<()> {
    let ready = RawValue::new(0)?;
    let (short, long) = (Duration::from_millis(100), Duration::from_secs(10));
    let ann = Builder::new().name("Ann").spawn(
        take_crosswise,
        (pen.clone(), paper.clone(), ready.clone(), short),
    )?;
    let bob = Builder::new()
        .name("Bob")
        .spawn(take_crosswise, (paper.clone(), pen.clone(), ready, long))?;

    let (ann, bob) = (ann.join()?, bob.join()?);
    println!("{ann}\n{bob}");
    ensure!(ann.contains("'Ann'") && ann.contains("'paper'") && ann.contains("'Bob'"));
    assert_eq!(bob, "Bob got both");
    Ok(())
}

pub fn deadlock() -> Result<()> {
    let pen = Lock::named("pen")?;
    let paper = Lock::named("paper")?;
    println!("crosswise:");
    crosswise(&pen, &paper)?;

    println!("both take the pen first:");
    let ready = RawValue::new(0)?;
    let mut writers = Vec::new();
    for name in ["Ann", "Bob"] {
        let arguments = (pen.clone(), paper.clone(), ready.clone());
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

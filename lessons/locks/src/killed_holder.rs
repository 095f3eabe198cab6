use anyhow::Result;
use multiprocess::{Builder, Event, Lock};
use std::thread;
use std::time::Duration;

pub fn hold(lock: Lock, holding: Event) {
    let _guard = lock.lock().unwrap();
    holding.set();
    thread::sleep(Duration::from_secs(60)); // long enough to be killed
}

pub fn killed_holder() -> Result<()> {
    let lock = Lock::named("accounts")?;
    let holding = Event::new()?;
    let ann = Builder::new()
        .name("Ann")
        .spawn(hold, (lock.clone(), holding.clone()))?;
    holding.wait();
    println!("Ann, process {}, holds the lock and is killed", ann.pid());
    ann.kill()?;

    let guard = lock.lock()?;
    let died = guard.holder_died();
    println!("we have the lock; did a holder die? {died}");
    println!("it was process {}", guard.dead_holder().unwrap());
    drop(guard);

    let mut guard = lock.lock()?;
    println!("once more; did a holder die? {}", guard.holder_died());
    guard.clear_death(); // for when you have repaired the data
    drop(guard);
    let guard = lock.lock()?;
    println!("after the repair? {}", guard.holder_died());
    Ok(())
}

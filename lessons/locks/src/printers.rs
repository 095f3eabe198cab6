use anyhow::Result;
use multiprocess::{Lock, RawValue, spawn};
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

fn print_three_times(word: &str) {
    for end in [" ", " ", "\n"] {
        print!("{word}{end}");
        io::stdout().flush().unwrap();
        support::mark(word, word); // for the picture
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn print_unlocked(word: String) {
    print_three_times(&word);
}

pub fn print_locked(word: String, lock: Lock) {
    let _guard = lock.lock().unwrap();
    print_three_times(&word);
} // `_guard` ends here, and releases the lock

pub fn say_hello(number: u32, lock: Lock, inside: RawValue<u32>) -> u32 {
    let _guard = lock.lock().unwrap();
    let others = inside.get(); // how many are inside already
    inside.set(others + 1);
    println!("hello world {number}");
    thread::sleep(Duration::from_millis(2));
    inside.set(others);
    others
}

pub fn give_up(lock: Lock) {
    let _guard = lock.lock().unwrap();
    panic!("I give up");
}

fn three_words(lock: &Lock) -> Result<()> {
    let words = ["tango", "foxtrot", "10"];
    support::part("without a lock:"); // prints this line
    let mut children = Vec::new();
    for word in words {
        children.push(spawn(print_unlocked, (word.to_string(),))?);
    }
    for child in children {
        child.join()?;
    }

    support::part("with a lock:");
    let mut children = Vec::new();
    for word in words {
        children.push(spawn(print_locked, (word.to_string(), lock.clone()))?);
    }
    for child in children {
        child.join()?;
    }
    Ok(())
}

fn ten_hellos(lock: &Lock) -> Result<()> {
    support::part("ten take one lock:");
    let inside = RawValue::new(0)?;
    let mut children = Vec::new();
    for number in 0..10 {
        children.push(spawn(say_hello, (number, lock.clone(), inside.clone()))?);
    }
    let mut others = Vec::new();
    for child in children {
        others.push(child.join()?);
    }
    println!("main: others inside at the time: {others:?}");
    Ok(())
}

pub fn printers() -> Result<()> {
    let lock = Lock::new()?;
    three_words(&lock)?;
    ten_hellos(&lock)?;

    let panicked = spawn(give_up, (lock.clone(),))?.join().is_err();
    let _guard = lock.lock()?;
    println!("main: did a holder panic? {panicked}; we have its lock");
    Ok(())
}

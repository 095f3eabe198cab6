use anyhow::{Result, ensure};
use multiprocess::{Error, Lock, RawValue, spawn};
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

fn print_thrice(word: &str) {
    for end in [" ", " ", "\n"] {
        print!("{word}{end}");
        io::stdout().flush().expect("standard output is open");
        support::mark(word, word); // a note for `cargo xtask timeline`
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn print_at_will(word: String) {
    print_thrice(&word);
}

pub fn print_in_turn(word: String, lock: Lock) {
    let _guard = lock.lock().unwrap();
    print_thrice(&word);
} // here `_guard` ends, and the lock is released

pub fn say_hello(number: u32, lock: Lock, inside: RawValue<u32>) -> u32 {
    let _guard = lock.lock().unwrap();
    let others = inside.update(|count| count + 1); // returns the count before
    println!("hello world {number}");
    thread::sleep(Duration::from_millis(2));
    inside.update(|count| count - 1);
    others
}

pub fn give_up(lock: Lock) {
    let _guard = lock.lock().unwrap();
    panic!("I give up");
}

fn three_words(lock: &Lock) -> Result<()> {
    let words = ["tango", "foxtrot", "10"].map(String::from);
    support::part("without a lock:");
    let children = words.clone().map(|word| spawn(print_at_will, (word,)));
    for child in children {
        child?.join()?;
    }
    support::part("with a lock:");
    let children = words.map(|word| spawn(print_in_turn, (word, lock.clone())));
    for child in children {
        child?.join()?;
    }
    Ok(())
}

pub fn printers() -> Result<()> {
    let lock = Lock::new()?;
    three_words(&lock)?;

    support::part("ten take one lock:");
    let inside = RawValue::new(0)?;
    let mut children = Vec::new();
    for number in 0..10 {
        let arguments = (number, lock.clone(), inside.clone());
        children.push(spawn(say_hello, arguments)?);
    }
    let mut others = Vec::new();
    for child in children {
        others.push(child.join()?);
    }
    println!("main: others inside at the time: {others:?}");
    assert_eq!(others, [0; 10]);

    let ending = spawn(give_up, (lock.clone(),))?.join();
    ensure!(matches!(ending, Err(Error::Panicked { .. })));
    let guard = lock.lock_timeout(Duration::from_secs(1))?;
    println!("main: a holder panicked; we have the lock all the same");
    ensure!(!guard.holder_died());
    Ok(())
}

//! Starts processes, and prints their results and the error of one that panics.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a child move to it"
)]

use multiprocess::{Builder, Error, spawn, task};

fn main() -> Result<(), Error> {
    multiprocess::init([task(letters), task(reciprocal)]);

    let word = "concurrency".to_owned();
    let child = spawn(letters, (word,))?;
    println!("{} runs as process {}", child.name(), child.pid());
    println!("letters: {}", child.join()?);

    for number in [4, 0] {
        let child = Builder::new()
            .name("divider")
            .spawn(reciprocal, (number,))?;
        match child.join() {
            Ok(thousandths) => println!("1000 / {number} = {thousandths}"),
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

fn letters(word: String) -> usize {
    word.chars().count()
}

fn reciprocal(number: u32) -> u32 {
    1000 / number
}

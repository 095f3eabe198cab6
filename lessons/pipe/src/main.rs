use anyhow::{Result, ensure};
use multiprocess::{Builder, Connection, pipe, spawn, task};
use std::process::{self, ExitCode};
use std::time::Duration;
use support::{readable_time, timed};

fn main() -> ExitCode {
    multiprocess::init([
        task(add_one),
        task(count_letters),
        task(tell),
        task(guest),
        task(speaker),
        task(echo),
    ]);
    support::run_steps(&[
        ("ask", ask),
        ("both-ways", both_ways),
        ("wait", wait),
        ("one-owner", one_owner),
        ("large", large),
    ])
}

fn add_one(asker: Connection<i64, i64>) {
    let number = asker.recv().expect("the parent asks");
    println!("child {} was asked about {number}", process::id());
    asker.send(number + 1).expect("the parent listens");
}

fn ask() -> Result<()> {
    let (ours, theirs) = pipe::<i64, i64>()?;
    let child = spawn(add_one, (theirs,))?;
    ours.send(10)?;
    let answer = ours.recv()?;
    println!("parent {} was answered {answer}", process::id());
    assert_eq!(answer, 11);
    child.join()?;
    Ok(())
}

fn count_letters(asker: Connection<usize, String>) -> u32 {
    let mut answered = 0;
    for word in &asker {
        let word = word.expect("a word can be read");
        println!("child: asked about {word:?}");
        asker.send(word.len()).expect("the parent listens");
        answered += 1;
    }
    println!("child: that was the last word");
    answered
}

fn tell(listener: Connection<String, ()>) {
    for part in ["once upon a time", "and they lived happily"] {
        listener.send(part.to_string()).expect("the parent listens");
    }
}

fn both_ways() -> Result<()> {
    let (ours, theirs) = pipe::<String, usize>()?;
    let child = spawn(count_letters, (theirs,))?;
    for word in ["to", "be", "continued"] {
        ours.send(word.to_string())?;
        let letters = ours.recv()?;
        println!("parent: {letters} letters");
        assert_eq!(letters, word.len());
    }
    ours.close();
    assert_eq!(child.join()?, 3);

    let (ours, theirs) = pipe::<(), String>()?;
    let child = spawn(tell, (theirs,))?;
    let mut parts = 0;
    for part in &ours {
        println!("parent: {}", part?);
        parts += 1;
    }
    println!("parent: the end");
    assert_eq!(parts, 2);
    let end = ours.recv().unwrap_err();
    ensure!(end.is_closed(), "it stays the end");
    child.join()?;
    Ok(())
}

fn guest(host: Connection<String, ()>) {
    let name = multiprocess::current().name().to_string();
    while host.recv().is_ok() {
        host.send(format!("{name} speaks"))
            .expect("the host listens");
    }
}

fn wait() -> Result<()> {
    let mut guests = Vec::new();
    let mut ends = Vec::new();
    for name in ["Ann", "Ben", "Cleo"] {
        let (ours, theirs) = pipe::<(), String>()?;
        guests.push(Builder::new().name(name).spawn(guest, (theirs,))?);
        ends.push(ours);
    }

    let spoke = ends[0].poll(Duration::from_millis(50))?;
    println!("has Ann spoken within 50 ms? {spoke}");
    ensure!(!spoke);

    for place in [2, 0, 1] {
        ends[place].send(())?; // a sign: your turn
        let ready = multiprocess::wait(&[&ends[0], &ends[1], &ends[2]]);
        let words = ends[ready[0]].recv()?;
        println!("ready: {ready:?}: {words}");
        assert_eq!(ready, [place]);
    }
    drop(ends);
    for guest in guests {
        guest.join()?;
    }
    Ok(())
}

fn speaker(letter: String, listener: Connection<String, ()>) {
    for _ in 0..100 {
        let message = letter.repeat(100_000);
        listener.send(message).expect("the parent listens");
    }
}

fn one_owner() -> Result<()> {
    let (from_a, end_a) = pipe()?;
    let (from_b, end_b) = pipe()?;
    let speaker_a = spawn(speaker, ("A".to_string(), end_a))?;
    let speaker_b = spawn(speaker, ("B".to_string(), end_b))?;

    for (letter, end) in [("A", from_a), ("B", from_b)] {
        let expected = letter.repeat(100_000);
        let mut whole = 0;
        for message in &end {
            ensure!(message? == expected, "a message of {letter} is spoilt");
            whole += 1;
        }
        println!("{whole} messages of {letter} arrived, all of them whole");
        assert_eq!(whole, 100);
    }
    speaker_a.join()?;
    speaker_b.join()?;
    Ok(())
}

fn echo(caller: Connection<Vec<u8>, Vec<u8>>) {
    for message in &caller {
        let message = message.expect("bytes can be read");
        caller.send(message).expect("the parent listens");
    }
}

fn large() -> Result<()> {
    let mut message = Vec::new();
    for place in 0..16 * 1024 * 1024_u32 {
        message.extend(place.to_le_bytes()); // 4 bytes that say where they belong
    }
    let sent = message.clone();

    let (ours, theirs) = pipe()?;
    let child = spawn(echo, (theirs,))?;
    let (answer, time) = timed(|| {
        ours.send(sent)?;
        ours.recv()
    });
    let answer = answer?;
    println!(
        "{} bytes there and back: {}",
        answer.len(),
        readable_time(time)
    );
    ensure!(answer == message, "the message has changed on its way");
    ours.close();
    child.join()?;
    Ok(())
}

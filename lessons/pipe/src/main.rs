use anyhow::{Result, ensure};
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use multiprocess::{Builder, Connection, pipe, spawn, task};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use support::readable_time;

fn main() -> ExitCode {
    multiprocess::init([
        task(add_one),
        task(count_letters),
        task(tell),
        task(guest),
        task(speaker),
        task(echo),
        task(add_one_by_hand),
    ]);
    support::run_steps(&[
        ("ask", ask),
        ("both-ways", both_ways),
        ("wait", wait),
        ("one-owner", one_owner),
        ("large", large),
        ("under-the-hood", under_the_hood),
    ])
}

fn add_one(parent: Connection<i64, i64>) {
    let number = parent.recv().unwrap();
    println!("child {} got {number}", process::id());
    parent.send(number + 1).unwrap();
}

fn ask() -> Result<()> {
    let (ours, theirs) = pipe::<i64, i64>()?;
    let child = spawn(add_one, (theirs,))?;
    ours.send(10)?;
    let answer = ours.recv()?;
    println!("parent {} got {answer}", process::id());
    child.join()?;
    Ok(())
}

fn count_letters(parent: Connection<usize, String>) {
    for word in &parent {
        let word = word.unwrap();
        println!("child: got {word:?}");
        parent.send(word.len()).unwrap();
    }
    println!("child: no more words");
}

fn tell(parent: Connection<String, ()>) {
    for sentence in ["once upon a time", "and they lived happily"] {
        parent.send(sentence.to_string()).unwrap();
    }
}

fn both_ways() -> Result<()> {
    let (ours, theirs) = pipe::<String, usize>()?;
    let child = spawn(count_letters, (theirs,))?;
    for word in ["to", "be", "continued"] {
        ours.send(word.to_string())?;
        println!("parent: {} letters", ours.recv()?);
    }
    ours.close();
    child.join()?;

    let (ours, theirs) = pipe::<(), String>()?;
    let child = spawn(tell, (theirs,))?;
    for sentence in &ours {
        println!("parent: {}", sentence?);
    }
    println!("parent: the end");
    child.join()?;
    Ok(())
}

fn guest(host: Connection<String, ()>) {
    let name = multiprocess::current().name().to_string();
    for _turn in &host {
        host.send(format!("{name} speaks")).unwrap();
    }
}

fn wait() -> Result<()> {
    let mut guests = Vec::new();
    let mut ends = Vec::new();
    for name in ["Ann", "Ben", "Cleo"] {
        let (ours, theirs) = pipe::<(), String>()?;
        let child = Builder::new().name(name).spawn(guest, (theirs,))?;
        guests.push(child);
        ends.push(ours);
    }

    let spoke = ends[0].poll(Duration::from_millis(50))?;
    println!("did Ann speak within 50 ms? {spoke}");

    for place in [2, 0, 1] {
        ends[place].send(())?; // it's your turn
        let ready = multiprocess::wait(&[&ends[0], &ends[1], &ends[2]]);
        let words = ends[ready[0]].recv()?;
        println!("ready: {ready:?}: {words}");
    }
    drop(ends);
    for child in guests {
        child.join()?;
    }
    Ok(())
}

fn speaker(letter: String, parent: Connection<String, ()>) {
    for _ in 0..100 {
        parent.send(letter.repeat(100_000)).unwrap();
    }
}

fn one_owner() -> Result<()> {
    let (from_a, end_a) = pipe()?;
    let (from_b, end_b) = pipe()?;
    let speaker_a = spawn(speaker, ("A".to_string(), end_a))?;
    let speaker_b = spawn(speaker, ("B".to_string(), end_b))?;

    for (letter, end) in [("A", from_a), ("B", from_b)] {
        let mut intact = 0;
        for message in &end {
            ensure!(message? == letter.repeat(100_000), "a message is corrupt");
            intact += 1;
        }
        println!("{intact} messages from {letter}, all intact");
    }
    speaker_a.join()?;
    speaker_b.join()?;
    Ok(())
}

const NUMBERS: u32 = 16 * 1024 * 1024; // of 4 bytes each: 64 MiB

fn echo(parent: Connection<Vec<u8>, Vec<u8>>) {
    let message = parent.recv().unwrap();
    parent.send(message).unwrap();
}

fn large() -> Result<()> {
    let mut message = Vec::new();
    for number in 0..NUMBERS {
        message.extend(number.to_ne_bytes()); // the number's 4 bytes
    }
    let (ours, theirs) = pipe()?;
    let child = spawn(echo, (theirs,))?;

    let copy = message.clone();
    let start = Instant::now();
    ours.send(copy)?;
    let answer = ours.recv()?;
    let time = readable_time(start.elapsed());
    println!("{} bytes there and back: {time}", answer.len());
    ensure!(answer == message, "the message changed on its way");
    child.join()?;
    Ok(())
}

fn add_one_by_hand(questions: IpcReceiver<i64>, answers: IpcSender<i64>) {
    let number = questions.recv().unwrap();
    println!("child {} got {number}", process::id());
    answers.send(number + 1).unwrap();
}

fn under_the_hood() -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("ends of ipc-channel can be arguments on Linux only");
        return Ok(());
    }
    let (our_sender, questions) = ipc::channel()?;
    let (answers, our_receiver) = ipc::channel()?;
    let child = spawn(add_one_by_hand, (questions, answers))?;
    our_sender.send(10)?;
    let answer = our_receiver.recv()?;
    println!("parent {} got {answer}", process::id());
    child.join()?;
    Ok(())
}

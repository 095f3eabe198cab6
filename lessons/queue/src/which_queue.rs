use anyhow::{Result, ensure};
use crossbeam_channel::{Receiver, Sender};
use multiprocess::Queue;
use std::process;
use std::sync::LazyLock;

static THREAD_QUEUE: LazyLock<(Sender<String>, Receiver<String>)> =
    LazyLock::new(crossbeam_channel::unbounded);

pub fn fill_both(process_queue: Queue<String>) {
    let (sender, receiver) = &*THREAD_QUEUE;
    sender.send("hello, threads".to_string()).unwrap();
    println!("thread queue in the child: {} item", receiver.len());

    let greeting = format!("hello, processes, from {}", process::id());
    process_queue.put(greeting).unwrap();
    println!("process queue in the child: {} item", process_queue.len());
}

pub fn which_queue() -> Result<()> {
    let process_queue = Queue::new()?;
    let child = multiprocess::spawn(fill_both, (process_queue.clone(),))?;
    let pid = child.pid();
    child.join()?;

    let (_, receiver) = &*THREAD_QUEUE;
    println!("thread queue in the parent: {} items", receiver.len());
    ensure!(receiver.is_empty(), "the parent's thread queue was filled");

    println!("process queue in the parent: {} item", process_queue.len());
    let greeting = process_queue.get()?;
    println!("parent {} got: {greeting}", process::id());
    assert_eq!(greeting, format!("hello, processes, from {pid}"));
    ensure!(pid != process::id());
    Ok(())
}

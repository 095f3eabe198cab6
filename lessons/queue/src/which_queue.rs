use anyhow::Result;
use multiprocess::Queue;
use std::collections::VecDeque;
use std::process;
use std::sync::Mutex;

static THREAD_QUEUE: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

pub fn fill_both(process_queue: Queue<String>) {
    let mut thread_queue = THREAD_QUEUE.lock().unwrap();
    thread_queue.push_back("hello, threads".to_string());
    println!("thread queue in the child: {} item", thread_queue.len());

    let greeting = format!("hello, processes, from {}", process::id());
    process_queue.put(greeting).unwrap();
    println!("process queue in the child: {} item", process_queue.len());
}

pub fn which_queue() -> Result<()> {
    let process_queue = Queue::new()?;
    multiprocess::spawn(fill_both, (process_queue.clone(),))?.join()?;

    let thread_queue = THREAD_QUEUE.lock().unwrap();
    println!("thread queue in the parent: {} items", thread_queue.len());
    println!("process queue in the parent: {} item", process_queue.len());
    println!("parent {} got: {}", process::id(), process_queue.get()?);
    Ok(())
}

mod which_queue;

use anyhow::Result;
use multiprocess::{Barrier, Builder, Queue, Receiver, Sender, channel, spawn, task};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use which_queue::{fill_both, which_queue};

fn main() -> ExitCode {
    multiprocess::init([
        task(fill_both),
        task(put_answer),
        task(put_squares),
        task(put_numbers),
        task(double_until_sentinel),
        task(send_numbers),
        task(double_until_end),
        task(worker),
    ]);
    support::run_steps(&[
        ("thread-queues", thread_queues),
        ("which-queue", which_queue),
        ("answer", answer),
        ("squares", squares),
        ("sentinel", sentinel),
        ("workers", workers),
    ])
}

const JOBS: [(u32, &str); 3] = [(2, "fold"), (3, "stamp"), (1, "write")];

fn first_in_first_out() {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let producer = thread::spawn(move || {
        for job in JOBS {
            sender.send(job).unwrap();
        }
    });
    producer.join().unwrap();
    let mut taken = Vec::new();
    for job in receiver {
        taken.push(job);
    }
    println!("first in, first out: {taken:?}");
}

fn last_in_first_out() {
    let stack = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for job in JOBS {
                stack.lock().unwrap().push(job);
            }
        });
    });
    let mut taken = Vec::new();
    while let Some(job) = stack.lock().unwrap().pop() {
        taken.push(job);
    }
    println!("last in, first out:  {taken:?}");
}

fn by_priority() {
    let heap = Mutex::new(BinaryHeap::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for job in JOBS {
                heap.lock().unwrap().push(Reverse(job));
            }
        });
    });
    let mut taken = Vec::new();
    while let Some(Reverse(job)) = heap.lock().unwrap().pop() {
        taken.push(job);
    }
    println!("by priority:         {taken:?}");
}

fn thread_queues() -> Result<()> {
    first_in_first_out();
    last_in_first_out();
    by_priority();
    Ok(())
}

fn put_answer(answers: Queue<i64>) {
    println!("child {} puts 42", process::id());
    answers.put(42).unwrap();
}

fn answer() -> Result<()> {
    let answers = Queue::new()?;
    let child = spawn(put_answer, (answers.clone(),))?;
    let answer = answers.get()?;
    println!("parent {} got {answer}", process::id());
    child.join()?;
    Ok(())
}

fn put_squares(numbers: Vec<u64>, squares: Queue<u64>) {
    for number in numbers {
        squares.put(number * number).unwrap();
    }
}

fn squares() -> Result<()> {
    let squares = Queue::new()?;
    spawn(put_squares, (vec![2, 3, 5], squares.clone()))?.join()?;
    println!("the child has ended, {} items in the queue", squares.len());
    for _ in 0..3 {
        println!("{}", squares.get()?);
    }

    let numbers: Vec<u64> = (1..=100_000).collect();
    spawn(put_squares, (numbers.clone(), squares.clone()))?.join()?;
    println!("the child has ended, {} items in the queue", squares.len());
    for number in numbers {
        assert_eq!(squares.get()?, number * number);
    }
    println!("all taken, {} items left", squares.len());
    Ok(())
}

fn put_numbers(numbers: Vec<i64>, queue: Queue<i64>) {
    for number in numbers {
        queue.put(number).unwrap();
    }
}

fn double_until_sentinel(queue: Queue<i64>) -> Vec<i64> {
    let mut doubles = Vec::new();
    loop {
        let number = queue.get().unwrap();
        println!("{number} doubled is {}", 2 * number);
        doubles.push(2 * number);
        if number == -1 {
            return doubles;
        }
    }
}

fn with_sentinel() -> Result<()> {
    let queue = Queue::new()?;
    let producer = spawn(put_numbers, (vec![5, 10, 13, -1], queue.clone()))?;
    let consumer = spawn(double_until_sentinel, (queue,))?;
    producer.join()?;
    println!("with a sentinel: {:?}", consumer.join()?);
    Ok(())
}

fn send_numbers(numbers: Vec<i64>, sender: Sender<i64>) {
    for number in numbers {
        sender.send(number).unwrap();
    }
}

fn double_until_end(receiver: Receiver<i64>) -> Vec<i64> {
    let mut doubles = Vec::new();
    for number in &receiver {
        let number = number.unwrap();
        println!("{number} doubled is {}", 2 * number);
        doubles.push(2 * number);
    }
    doubles
}

fn without_sentinel() -> Result<()> {
    let (sender, receiver) = channel()?;
    let producer = spawn(send_numbers, (vec![5, 10, 13], sender))?;
    let consumer = spawn(double_until_end, (receiver,))?;
    producer.join()?;
    println!("without: {:?}", consumer.join()?);
    Ok(())
}

fn sentinel() -> Result<()> {
    with_sentinel()?;
    without_sentinel()
}

fn worker(jobs: Receiver<u64>, results: Sender<(u64, u64, String)>, all_here: Barrier) {
    let name = multiprocess::current().name().to_string();
    let first = jobs.recv().unwrap();
    results.send((first, first * first, name.clone())).unwrap();
    all_here.wait().unwrap();
    for job in &jobs {
        let job = job.unwrap();
        thread::sleep(Duration::from_millis(1)); // the work
        results.send((job, job * job, name.clone())).unwrap();
    }
}

fn report(results: &Receiver<(u64, u64, String)>) -> Result<()> {
    let mut jobs = BTreeSet::new();
    let mut sum = 0;
    let mut shares = BTreeMap::new();
    for result in results {
        let (job, square, name) = result?;
        assert!(jobs.insert(job), "job {job} was done twice");
        sum += square;
        *shares.entry(name).or_insert(0) += 1;
    }
    for (name, share) in shares {
        println!("{name} did {share} jobs");
    }
    println!("{} jobs, each done once", jobs.len());
    println!("the squares add up to {sum}");
    Ok(())
}

fn workers() -> Result<()> {
    let (job_sender, jobs) = channel()?;
    let (results, result_receiver) = channel()?;
    let all_here = Barrier::new(4)?;
    let mut workers = Vec::new();
    for number in 1..=4 {
        let builder = Builder::new().name(format!("worker-{number}"));
        let arguments = (jobs.clone(), results.clone(), all_here.clone());
        workers.push(builder.spawn(worker, arguments)?);
    }
    drop(jobs); // from here on, only the workers have these ends
    drop(results);
    for job in 1..=100 {
        job_sender.send(job)?;
    }
    drop(job_sender); // no more jobs

    report(&result_receiver)?;
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

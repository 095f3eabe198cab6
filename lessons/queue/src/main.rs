mod job_queue;
mod which_queue;

use anyhow::{Result, ensure};
use job_queue::{Job, JobQueue};
use multiprocess::{Barrier, Builder, Queue, Receiver, Sender, channel, spawn, task};
use std::collections::BTreeMap;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;
use which_queue::{fill_both, which_queue};

fn main() -> ExitCode {
    multiprocess::init([
        task(fill_both),
        task(put_answer),
        task(put_squares),
        task(creator),
        task(consumer),
        task(sender),
        task(receiver),
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

const JOBS: [Job; 3] = [(2, "fold"), (3, "stamp"), (1, "write")];

fn through(queue: &JobQueue) -> Vec<Job> {
    thread::scope(|scope| {
        scope.spawn(|| {
            for job in JOBS {
                queue.put(job).expect("the queue is open");
            }
            queue.close();
        });
    });
    let mut taken = Vec::new();
    while let Some(job) = queue.get() {
        taken.push(job);
    }
    taken
}

fn thread_queues() -> Result<()> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let producer = thread::spawn(move || {
        for job in JOBS {
            sender.send(job).expect("somebody receives");
        }
    });
    producer.join().unwrap();
    let first_first: Vec<Job> = receiver.iter().collect();
    println!("first in, first out: {first_first:?}");
    assert_eq!(first_first, JOBS);

    let last_first = through(&JobQueue::last_first());
    println!("last in, first out:  {last_first:?}");
    assert_eq!(last_first, [(1, "write"), (3, "stamp"), (2, "fold")]);

    let by_priority = through(&JobQueue::by_priority());
    println!("by priority:         {by_priority:?}");
    assert_eq!(by_priority, [(1, "write"), (2, "fold"), (3, "stamp")]);
    Ok(())
}

fn put_answer(answers: Queue<i64>) {
    println!("child {} puts 42", process::id());
    answers.put(42).expect("the queue is open");
}

fn answer() -> Result<()> {
    let answers = Queue::new()?;
    let child = spawn(put_answer, (answers.clone(),))?;
    let answer = answers.get()?;
    println!("parent {} got {answer}", process::id());
    assert_eq!(answer, 42);
    child.join()?;
    Ok(())
}

fn put_squares(numbers: Vec<u64>, squares: Queue<u64>) {
    for number in numbers {
        squares.put(number * number).expect("the queue is open");
    }
}

fn squares() -> Result<()> {
    let squares = Queue::new()?;
    spawn(put_squares, (vec![2, 3, 5], squares.clone()))?.join()?;
    println!("the child has ended, {} squares wait", squares.len());
    for expected in [4, 9, 25] {
        let square = squares.get()?;
        println!("{square}");
        assert_eq!(square, expected);
    }

    let numbers: Vec<u64> = (1..=100_000).collect();
    spawn(put_squares, (numbers.clone(), squares.clone()))?.join()?;
    println!("the child has ended, {} squares wait", squares.len());
    assert_eq!(squares.len(), 100_000);
    for number in numbers {
        assert_eq!(squares.get()?, number * number);
    }
    println!("all of them taken, {} left", squares.len());
    ensure!(squares.is_empty());
    Ok(())
}

fn creator(numbers: Vec<i64>, queue: Queue<i64>) {
    for number in numbers {
        queue.put(number).expect("the queue is open");
    }
}

fn consumer(queue: Queue<i64>) -> Vec<i64> {
    let mut doubles = Vec::new();
    loop {
        let number = queue.get().expect("-1 comes at last");
        println!("{number} doubled is {}", 2 * number);
        doubles.push(2 * number);
        if number == -1 {
            return doubles;
        }
    }
}

fn sender(numbers: Vec<i64>, queue: Sender<i64>) {
    for number in numbers {
        queue.send(number).expect("somebody receives");
    }
}

fn receiver(queue: Receiver<i64>) -> Vec<i64> {
    let mut doubles = Vec::new();
    for number in &queue {
        let number = number.expect("a number can be read");
        println!("{number} doubled is {}", 2 * number);
        doubles.push(2 * number);
    }
    doubles
}

fn sentinel() -> Result<()> {
    let queue = Queue::new()?;
    let creator = spawn(creator, (vec![5, 10, 13, -1], queue.clone()))?;
    let consumer = spawn(consumer, (queue,))?;
    creator.join()?;
    let doubles = consumer.join()?;
    println!("with a sentinel: {doubles:?}");
    assert_eq!(doubles, [10, 20, 26, -2]);

    let (sending_half, receiving_half) = channel()?;
    let sender = spawn(sender, (vec![5, 10, 13], sending_half))?;
    let receiver = spawn(receiver, (receiving_half,))?;
    sender.join()?;
    let doubles = receiver.join()?;
    println!("without: {doubles:?}");
    assert_eq!(doubles, [10, 20, 26]);
    Ok(())
}

fn worker(jobs: Receiver<u64>, results: Sender<(u64, u64, String)>, all_here: Barrier) {
    let name = multiprocess::current().name().to_string();
    let first = jobs.recv().expect("100 jobs for four workers");
    results.send((first, first * first, name.clone())).unwrap();
    all_here.wait().expect("all four get a job");
    for job in &jobs {
        let job = job.unwrap();
        thread::sleep(Duration::from_millis(1)); // the work
        results.send((job, job * job, name.clone())).unwrap();
    }
}

fn workers() -> Result<()> {
    let (to_do, jobs) = channel()?;
    let (results, done) = channel()?;
    let all_here = Barrier::new(4)?;
    let mut workers = Vec::new();
    for number in 1..=4 {
        let builder = Builder::new().name(format!("worker-{number}"));
        let arguments = (jobs.clone(), results.clone(), all_here.clone());
        workers.push(builder.spawn(worker, arguments)?);
    }
    drop((jobs, results)); // from here on only the workers have these halves
    for job in 1..=100 {
        to_do.send(job)?;
    }
    drop(to_do); // no more jobs

    let mut squares = BTreeMap::new();
    let mut shares = BTreeMap::new();
    for result in &done {
        let (job, square, name) = result?;
        ensure!(squares.insert(job, square).is_none(), "{job} came twice");
        *shares.entry(name).or_insert(0) += 1;
    }
    for worker in workers {
        worker.join()?;
    }
    report(&squares, &shares)
}

fn report(squares: &BTreeMap<u64, u64>, shares: &BTreeMap<String, u32>) -> Result<()> {
    for (name, share) in shares {
        println!("{name} did {share} jobs");
    }
    println!("{} jobs, each done once", squares.len());
    assert!(squares.keys().copied().eq(1..=100), "a job was not done");
    for (job, square) in squares {
        assert_eq!(*square, job * job);
    }
    assert_eq!(shares.len(), 4, "a worker got no job");
    assert_eq!(shares.values().sum::<u32>(), 100);
    Ok(())
}

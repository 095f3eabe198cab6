//! Queues between threads that give out something else than what came first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex};

/// A priority, the smallest of which is the most urgent, and what there is to do.
pub type Job = (u32, &'static str);

/// A queue between threads. Python: `queue.LifoQueue` and `queue.PriorityQueue`, and it can be closed.
pub struct JobQueue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: Jobs,
    closed: bool,
}

enum Jobs {
    LastFirst(Vec<Job>),
    /// A heap gives out its greatest item, so the order is turned round.
    ByPriority(BinaryHeap<Reverse<Job>>),
}

impl Jobs {
    fn add(&mut self, job: Job) {
        match self {
            Jobs::LastFirst(jobs) => jobs.push(job),
            Jobs::ByPriority(jobs) => jobs.push(Reverse(job)),
        }
    }

    fn take(&mut self) -> Option<Job> {
        match self {
            Jobs::LastFirst(jobs) => jobs.pop(),
            Jobs::ByPriority(jobs) => jobs.pop().map(|Reverse(job)| job),
        }
    }
}

impl JobQueue {
    pub fn last_first() -> JobQueue {
        JobQueue::of(Jobs::LastFirst(Vec::new()))
    }

    pub fn by_priority() -> JobQueue {
        JobQueue::of(Jobs::ByPriority(BinaryHeap::new()))
    }

    fn of(jobs: Jobs) -> JobQueue {
        let closed = false;
        JobQueue {
            state: Mutex::new(State { jobs, closed }),
            changed: Condvar::new(),
        }
    }

    /// Puts a job into the queue; gives it back if the queue is closed.
    pub fn put(&self, job: Job) -> Result<(), Job> {
        let mut state = self.state.lock().unwrap();
        if state.closed {
            return Err(job);
        }
        state.jobs.add(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Says that there will be no more jobs.
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.changed.notify_all();
    }

    /// Takes a job; waits until there is one. `None` when there will be no more.
    pub fn get(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap();
        loop {
            let job = state.jobs.take();
            if job.is_some() || state.closed {
                return job;
            }
            state = self.changed.wait(state).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::JobQueue;
    use std::thread;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn who_gets_waits_for_a_job_and_then_for_the_end() {
        for queue in [JobQueue::last_first(), JobQueue::by_priority()] {
            let (tell, told) = crossbeam_channel::unbounded();
            thread::scope(|scope| {
                scope.spawn(|| {
                    while let Some(job) = queue.get() {
                        tell.send(Some(job)).unwrap();
                    }
                    tell.send(None).unwrap();
                });
                assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
                queue.put((1, "late")).unwrap();
                assert_eq!(told.recv_timeout(LIMIT), Ok(Some((1, "late"))));
                assert!(told.recv_timeout(Duration::from_millis(20)).is_err());
                queue.close();
                assert_eq!(told.recv_timeout(LIMIT), Ok(None));
            });
        }
    }

    #[test]
    fn what_was_put_before_the_end_can_still_be_got() {
        let queue = JobQueue::by_priority();
        queue.put((2, "later")).unwrap();
        queue.put((1, "now")).unwrap();
        queue.close();
        assert_eq!(queue.put((0, "too late")), Err((0, "too late")));
        assert_eq!(queue.get(), Some((1, "now")));
        assert_eq!(queue.get(), Some((2, "later")));
        assert_eq!(queue.get(), None);
    }
}

//! Small items through a queue. The time includes starting the producers.

use std::ops::Range;

use ipc_channel::ipc::{self, IpcSender};
use multiprocess::{JoinHandle, Queue, spawn};

use crate::measure::{Samples, once};

const ITEMS: u32 = 1_000_000;
const IPC_ITEMS: u32 = 200_000;

pub(crate) fn put(queue: Queue<u64>, numbers: Range<u64>) {
    for number in numbers {
        queue.put(number).expect("it is open");
    }
}

pub(crate) fn sum(queue: Queue<u64>) -> u64 {
    queue.iter().map(|number| number.expect("a number")).sum()
}

pub(crate) fn ours(producers: u64, consumers: u64) -> Samples {
    let (items, queue) = (u64::from(ITEMS), Queue::new()?);
    let consumers = (0..consumers).map(|_| spawn(sum, (queue.clone(),)));
    let consumers: Vec<_> = consumers.collect::<Result<_, _>>()?;
    once(ITEMS, || {
        let share = items / producers;
        let shares = (0..producers).map(|number| number * share..(number + 1) * share);
        let producers = shares.map(|numbers| spawn(put, (queue.clone(), numbers)));
        for producer in producers.collect::<Result<Vec<_>, _>>()? {
            producer.join()?;
        }
        queue.close()?;
        let sum: Result<u64, _> = consumers.into_iter().map(JoinHandle::join).sum();
        assert_eq!(sum?, (0..items).sum::<u64>());
        Ok(())
    })
}

pub(crate) fn put_ipc(queue: IpcSender<u64>, count: u32) {
    for number in 0..u64::from(count) {
        queue.send(number).expect("it is open");
    }
}

pub(crate) fn ipc_channel() -> Samples {
    let (sender, receiver) = ipc::channel()?;
    once(IPC_ITEMS, || {
        let child = spawn(put_ipc, (sender, IPC_ITEMS))?;
        let sum: Result<u64, _> = (0..IPC_ITEMS).map(|_| receiver.recv()).sum();
        assert_eq!(sum?, (0..u64::from(IPC_ITEMS)).sum::<u64>());
        child.join()?;
        Ok(())
    })
}

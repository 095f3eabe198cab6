//! Small items through a queue; the start of the processes that put them in counts.

use std::ops::Range;
use std::thread;

use anyhow::Result;
use ipc_channel::ipc::{self, IpcSender};
use multiprocess::{Queue, spawn};

use crate::measure::once;

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

pub(crate) fn ours(putters: u64, getters: u64) -> Result<Vec<f64>> {
    let items = u64::from(ITEMS);
    let queue = Queue::new()?;
    let others = (1..getters).map(|_| spawn(sum, (queue.clone(),)));
    let others: Vec<_> = others.collect::<Result<_, _>>()?;
    once(ITEMS, || {
        let share = items / putters;
        let children = (0..putters).map(|putter| {
            let numbers = putter * share..(putter + 1) * share;
            spawn(put, (queue.clone(), numbers))
        });
        let children: Vec<_> = children.collect::<Result<_, _>>()?;
        let closer = queue.clone();
        let closing = thread::spawn(move || -> multiprocess::Result<()> {
            for child in children {
                child.join()?;
            }
            closer.close()
        });
        let mut total = sum(queue);
        closing.join().expect("it does not panic")?;
        for other in others {
            total += other.join()?;
        }
        assert_eq!(total, (0..items).sum::<u64>());
        Ok(())
    })
}

pub(crate) fn put_ipc(queue: IpcSender<u64>, count: u32) {
    for number in 0..u64::from(count) {
        queue.send(number).expect("it is open");
    }
}

pub(crate) fn ipc_channel() -> Result<Vec<f64>> {
    let (sender, receiver) = ipc::channel()?;
    once(IPC_ITEMS, || {
        let child = spawn(put_ipc, (sender, IPC_ITEMS))?;
        let mut total = 0;
        for _ in 0..IPC_ITEMS {
            total += receiver.recv()?;
        }
        child.join()?;
        assert_eq!(total, (0..u64::from(IPC_ITEMS)).sum::<u64>());
        Ok(())
    })
}

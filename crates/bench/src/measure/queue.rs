//! Small items through a queue; the start of the processes that put them in counts.

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

pub(crate) fn ours(putters: u64, getters: u64) -> Samples {
    let (items, queue) = (u64::from(ITEMS), Queue::new()?);
    let getters = (0..getters).map(|_| spawn(sum, (queue.clone(),)));
    let getters: Vec<_> = getters.collect::<Result<_, _>>()?;
    once(ITEMS, || {
        let share = items / putters;
        let shares = (0..putters).map(|putter| putter * share..(putter + 1) * share);
        let putters = shares.map(|numbers| spawn(put, (queue.clone(), numbers)));
        for putter in putters.collect::<Result<Vec<_>, _>>()? {
            putter.join()?;
        }
        queue.close()?;
        let sum: Result<u64, _> = getters.into_iter().map(JoinHandle::join).sum();
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

//! The function that sets a worker up, and its arguments, of which each worker gets its own copy.

use std::sync::{Mutex, PoisonError};

use crate::process::task::Task;
use crate::process::wire;
use crate::transfer::attachments::{Attachments, collect, collect_arriving};
use crate::transfer::caught;
use crate::transfer::codec::IpcHandles;

/// What each worker does before anything else.
pub(crate) struct Initializer {
    pub(crate) task: u32,
    kept: Mutex<Packed>,
    copy: fn(&mut Packed) -> Result<Packed, String>,
}

/// Arguments in bytes, and the handles in them.
pub(crate) type Packed = (Vec<u8>, Attachments);

impl Initializer {
    /// The error says why the arguments cannot travel.
    pub(crate) fn new<F: Task<Args>, Args>(task: u32, args: &Args) -> Result<Initializer, String> {
        Ok(Initializer {
            task,
            kept: Mutex::new(pack::<F, Args>(args)?),
            copy: copy::<F, Args>,
        })
    }

    /// Returns the arguments for one more worker.
    pub(crate) fn arguments(&self) -> Result<Packed, String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (self.copy)(&mut kept)
    }
}

impl std::fmt::Debug for Initializer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Initializer")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

fn pack<F: Task<Args>, Args>(args: &Args) -> Result<Packed, String> {
    let mut bytes = Vec::new();
    let (written, attachments) = collect(|| {
        wire::append::<Args>(&mut bytes, |bytes| {
            F::write(args, bytes, IpcHandles::Refused)
        })
    });
    written?;
    Ok((bytes, attachments))
}

/// A handle that was packed is good for one reader: where there are any, they are read, and packed twice.
fn copy<F: Task<Args>, Args>(kept: &mut Packed) -> Result<Packed, String> {
    let (bytes, attachments) = kept;
    if attachments.is_empty() {
        return Ok((bytes.clone(), Attachments::default()));
    }
    let (args, arriving) = collect_arriving(|| {
        let bytes = wire::only(bytes)?;
        caught::or_panic_message(|| F::read(bytes))
    });
    let args = args?;
    let copies = pack::<F, Args>(&args).and_then(|first| Ok((first, pack::<F, Args>(&args)?)));
    // The arguments' own `Drop` may panic, and this may be the thread of the pool.
    let _ = caught::without_panic(|| drop(args));
    // Until here, what was kept is as good as before.
    let (first, second) = copies?;
    arriving.arrive();
    std::mem::replace(kept, first).1.commit();
    Ok(second)
}

//! The function that sets a worker up, and its arguments, of which each worker gets its own copy.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::process::wire;
use crate::transfer::attachments::{Attachments, collect, collect_arriving};
use crate::transfer::codec::without_panic;

/// What each worker does before anything else.
pub(crate) struct Initializer {
    pub(crate) task: u32,
    kept: Mutex<Packed>,
    copy: fn(&mut Packed) -> Result<Packed, String>,
}

/// Arguments in bytes, and the handles in them.
#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) attachments: Attachments,
}

impl Initializer {
    /// The error says why the arguments cannot travel.
    pub(crate) fn new<Args>(task: u32, args: &Args) -> Result<Initializer, String>
    where
        Args: Serialize + DeserializeOwned,
    {
        Ok(Initializer {
            task,
            kept: Mutex::new(pack(args)?),
            copy: copy::<Args>,
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

fn pack<Args: Serialize>(args: &Args) -> Result<Packed, String> {
    let mut bytes = Vec::new();
    let (written, attachments) = collect(|| wire::append(args, &mut bytes));
    written?;
    Ok(Packed { bytes, attachments })
}

/// A handle that was packed is good for one reader: where there are any, they are read, and packed twice.
fn copy<Args: Serialize + DeserializeOwned>(kept: &mut Packed) -> Result<Packed, String> {
    if kept.attachments.is_empty() {
        return Ok(Packed {
            bytes: kept.bytes.clone(),
            attachments: Attachments::default(),
        });
    }
    let (args, arriving) = collect_arriving(|| wire::read_one::<Args>(&kept.bytes));
    let args = args?;
    let copies = pack(&args).and_then(|first| Ok((first, pack(&args)?)));
    // The arguments' own `Drop` may panic, and this may be the thread of the pool.
    let _ = without_panic(|| drop(args));
    // Until here, what was kept is as good as before.
    let (first, second) = copies?;
    arriving.arrive();
    std::mem::replace(kept, first).attachments.commit();
    Ok(second)
}

//! The function that sets a worker up, and its arguments, of which each worker gets its own copy.

use std::sync::{Mutex, PoisonError};

use bytemuck::bytes_of;

use crate::pool::message::{Request, append_input};
use crate::process::task::Task;
use crate::process::wire;
use crate::transfer::attachments::{Attachments, collect_arriving};
use crate::transfer::caught;

/// What each worker does before anything else.
pub(crate) struct Initializer {
    kept: Mutex<Packed>,
    copy: fn(&mut Packed) -> Result<Packed, String>,
}

/// The request to a worker, and the handles in it.
type Packed = (Vec<u8>, Attachments);

impl Initializer {
    /// The error says why the arguments cannot travel.
    pub(crate) fn new<F: Task<Args>, Args>(task: u32, args: &Args) -> Result<Initializer, String> {
        let request = Request {
            task,
            count: 1,
            ..Request::default()
        };
        Ok(Initializer {
            kept: Mutex::new(pack::<F, Args>(bytes_of(&request), args)?),
            copy: copy::<F, Args>,
        })
    }

    /// Returns the request for one more worker.
    pub(crate) fn request(&self) -> Result<Packed, String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (self.copy)(&mut kept)
    }
}

impl std::fmt::Debug for Initializer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Initializer").finish_non_exhaustive()
    }
}

fn pack<F: Task<Args>, Args>(head: &[u8], args: &Args) -> Result<Packed, String> {
    let mut request = head.to_vec();
    let attachments = append_input(&mut request, args, &F::write)?;
    Ok((request, attachments))
}

/// A handle that was packed is good for one reader: where there are any, the worker gets what was kept, and what is read
/// from it is packed for the next one.
fn copy<F: Task<Args>, Args>(kept: &mut Packed) -> Result<Packed, String> {
    let (request, attachments) = kept;
    if attachments.is_empty() {
        return Ok((request.clone(), Attachments::default()));
    }
    let (head, bytes) = request.split_at(Request::SIZE);
    // The handles arrive with the worker, not here.
    let (args, _) = collect_arriving(|| {
        let bytes = wire::only(bytes)?;
        caught::or_panic_message(|| F::read(bytes))
    });
    let args = args?;
    let next = pack::<F, Args>(head, &args);
    // The arguments' own `Drop` may panic, and this may be the thread of the pool.
    let _ = caught::without_panic(|| drop(args));
    Ok(std::mem::replace(kept, next?))
}

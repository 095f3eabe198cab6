//! In the place of what Linux says about processes and threads.

use std::sync::atomic::{AtomicI32, Ordering};

pub(crate) fn name(_pid: u32) -> Option<String> {
    None
}

/// Returns a number that no other thread of this process has.
pub(crate) fn thread_id() -> i32 {
    static LAST: AtomicI32 = AtomicI32::new(0);
    thread_local! {
        static OWN: i32 = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    }
    OWN.with(|own| *own)
}

pub(crate) fn set_name(_name: &str) {}

pub(crate) fn end_with(_parent: u32) -> bool {
    true
}

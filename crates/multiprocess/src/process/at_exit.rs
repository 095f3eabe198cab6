//! What happens when a process of a program ends: its daemons are ended, its other children are waited for, and
//! the shared memory that nobody else uses is taken back. A child calls it itself, in [`init`](crate::init).

use std::time::Duration;

use crate::memory::presence;
use crate::memory::registry;
use crate::process::children;
use crate::trace::recorder::process_ends;

/// Its destructor runs when the main thread ends.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        if children::are_over() && registry::is_none() {
            // Other threads go on.
            children::stop_starting();
        }
        if children::are_over() && registry::is_none() {
            registry::leave(Duration::ZERO);
            return process_ends();
        }
        // The variables of this thread are being destroyed; a listener to events may need its own.
        match std::thread::Builder::new()
            .name("end".to_owned())
            .spawn(end)
        {
            Ok(ending) => drop(ending.join()),
            Err(_) => end(),
        }
        process_ends();
    }
}

pub(crate) fn end() {
    children::end();
    presence::leave();
    // The descendants of a child that was killed are ended too, a moment later.
    let patience = if children::have_died() {
        Duration::from_secs(1)
    } else {
        Duration::ZERO
    };
    registry::leave(patience);
}

thread_local! {
    static AT_END: AtEnd = const { AtEnd };
}

/// Has the children taken care of at the end of the thread that calls this, the main thread.
///
/// The C library runs the destructors of the main thread's variables when `main` returns or calls
/// `exit`. Rust does not promise it for every system; where it does not happen, non-daemons are not waited
/// for, and daemons notice their parent's end by themselves.
pub(crate) fn prepare() {
    AT_END.with(|_| ());
}

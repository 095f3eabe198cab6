//! The functions that a child may run.

use std::any::{TypeId, type_name};
use std::sync::OnceLock;

use crate::errors::error::{Error, Result};
use crate::errors::task_failure::TaskFailure;
use crate::process::batch::{self, Note};
use crate::process::task::Task;
use crate::transfer::attachments::Attachments;
use crate::transfer::codec;
use crate::transfer::envelope::{self, Envelope};

type Runner = Box<dyn Fn(Envelope, &dyn Fn()) -> Result<Envelope, TaskFailure> + Send + Sync>;

type BatchRunner =
    Box<dyn Fn(&[u8], u32, bool, Note<'_>, &mut Vec<u8>) -> Attachments + Send + Sync>;

/// A function in the list that [`init`](crate::init) takes; [`task`] makes it.
pub struct RegisteredTask {
    id: TypeId,
    pub(crate) name: &'static str,
    /// Opens the arguments, confirms that, and calls the function.
    pub(crate) run: Runner,
    /// Calls the function for several inputs, reports each step, appends the results, and returns the handles in them. If
    /// the results are `only_bytes`, one with a handle is a failure.
    pub(crate) run_batch: BatchRunner,
}

impl std::fmt::Debug for RegisteredTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RegisteredTask").field(&self.name).finish()
    }
}

/// Registers a function that a child may run, for the list that [`init`](crate::init) takes.
///
/// Python has no such list: a child finds the function by its name in the imported module.
///
/// # Examples
///
/// ```
/// fn doubler(number: i64) -> i64 {
///     2 * number
/// }
///
/// multiprocess::init([multiprocess::task(doubler)]);
/// ```
pub fn task<F, Args, How>(function: F) -> RegisteredTask
where
    F: Task<Args, How>,
    Args: 'static,
    How: 'static,
{
    const { refuse_captures::<F>() };
    let run = move |arguments: Envelope, opened: &dyn Fn()| {
        let arguments = envelope::open(arguments, F::read)
            .map_err(|reason| TaskFailure::UnreadableInput { reason })?;
        opened();
        let output = function.call(arguments);
        let output = output.map_err(|message| TaskFailure::Failed { message })?;
        envelope::pack::<F::Output>(|bytes| codec::write(&output, bytes))
            .map_err(|reason| TaskFailure::UnsendableResult { reason })
    };
    RegisteredTask {
        id: F::id(),
        name: type_name::<F>(),
        run: Box::new(run),
        run_batch: Box::new(move |inputs, count, only_bytes, note, results| {
            batch::run::<F, Args, How>(function, inputs, count, only_bytes, note, results)
        }),
    }
}

static TABLE: OnceLock<Vec<RegisteredTask>> = OnceLock::new();

/// Keeps the list for the rest of the program; panics if there already is one.
pub(crate) fn register(tasks: Vec<RegisteredTask>) {
    assert!(
        TABLE.set(tasks).is_ok(),
        "multiprocess::init was called twice; call it once, as the first statement of `main`"
    );
}

pub(crate) fn table() -> Result<&'static [RegisteredTask]> {
    TABLE.get().map(Vec::as_slice).ok_or(Error::NotInitialized)
}

/// Stops the build for anything that captures data.
const fn refuse_captures<F>() {
    assert!(
        size_of::<F>() == 0,
        "only a plain function can run in another process, not a closure that captures \
         variables and not a function pointer: pass what it captures as arguments"
    );
}

/// Returns the index of a function in the list.
pub(crate) fn index_of<F: Task<Args, How>, Args, How>(_: F) -> Result<u32> {
    const { refuse_captures::<F>() };
    // Not by name: two closures can have the same one.
    let is_it = |(_, task): &(u32, &RegisteredTask)| task.id == F::id();
    let found = (0..).zip(table()?).find(is_it);
    found.map(|(index, _)| index).ok_or(Error::NotRegistered {
        function: type_name::<F>(),
    })
}

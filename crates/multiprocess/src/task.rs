//! The functions that a child may run.

use std::any::{TypeId, type_name};
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::luggage;
use crate::parcel::{self, Parcel};
use crate::pool;

/// A function that can run in another process: a plain `fn` of up to six arguments.
///
/// Arguments and result travel between processes, so they are types that serde can serialise and
/// deserialise, owned by the function (`String`, not `&str`). This trait is implemented for every such
/// function; there is nothing to implement by hand.
///
/// A closure that captures variables is refused when the program is built: a variable of the parent
/// does not exist in the child.
///
/// ```compile_fail,E0080
/// let factor = 3;
/// let scale = move |number: i64| factor * number;
/// multiprocess::init([multiprocess::task(scale)]); // error: a closure that captures
/// ```
///
/// So is a function pointer, of which nobody knows in the child which function it is, and what serde cannot serialise:
///
/// ```compile_fail,E0080
/// fn doubler(number: i64) -> i64 { 2 * number }
/// let pointer: fn(i64) -> i64 = doubler;
/// multiprocess::init([multiprocess::task(pointer)]);
/// ```
///
/// ```compile_fail,E0277
/// fn reads(file: std::fs::File) {}
/// multiprocess::init([multiprocess::task(reads)]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run in another process",
    label = "not a function of up to six owned arguments that serde can serialise and deserialise",
    note = "arguments are passed as a tuple, also a single one: `spawn(doubler, (5,))`"
)]
pub trait Task<Args>: Copy + Send + Sync + 'static {
    /// What the function returns.
    type Output: Serialize + DeserializeOwned + 'static;

    /// Calls the function.
    #[doc(hidden)]
    fn call(self, args: Args) -> Self::Output;
}

macro_rules! implement_task {
    ($($arg:ident),*) => {
        impl<F, R, $($arg),*> Task<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Copy + Send + Sync + 'static,
            R: Serialize + DeserializeOwned + 'static,
            $($arg: Serialize + DeserializeOwned,)*
        {
            type Output = R;

            #[allow(non_snake_case, reason = "each argument is named like its type")]
            fn call(self, ($($arg,)*): ($($arg,)*)) -> R {
                self($($arg),*)
            }
        }
    };
}

implement_task!();
implement_task!(A);
implement_task!(A, B);
implement_task!(A, B, C);
implement_task!(A, B, C, D);
implement_task!(A, B, C, D, E);
implement_task!(A, B, C, D, E, G);

/// How a child runs its function: reads the arguments, calls, and packs the answer.
type Runner = Box<dyn Fn(Parcel, &dyn Fn()) -> Outcome + Send + Sync>;

/// How a pool's worker runs its function, for many inputs in one go.
type BatchRunner = Box<dyn Fn(&[u8], u32, &dyn Fn(u32), &mut Vec<u8>) + Send + Sync>;

/// What came of running a function in a child.
pub(crate) enum Outcome {
    /// It returned, and this is the answer.
    Answered(Parcel),
    /// The arguments could not be read: why.
    UnreadableArguments(String),
    /// It returned, and the answer cannot travel: why.
    UnsendableAnswer(String),
}

/// A function entered in the list that [`init`](crate::init) takes; made by [`task`].
pub struct RegisteredTask {
    type_id: TypeId,
    name: &'static str,
    run: Runner,
    run_batch: BatchRunner,
}

impl RegisteredTask {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Opens the arguments, says so, and calls the function.
    pub(crate) fn run(&self, arguments: Parcel, opened: &dyn Fn()) -> Outcome {
        (self.run)(arguments, opened)
    }

    /// Calls the function for `count` inputs and writes the results; `starting` is told the number of each call.
    pub(crate) fn run_batch(
        &self,
        inputs: &[u8],
        count: u32,
        starting: &dyn Fn(u32),
        results: &mut Vec<u8>,
    ) {
        (self.run_batch)(inputs, count, starting, results);
    }
}

impl std::fmt::Debug for RegisteredTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RegisteredTask").field(&self.name).finish()
    }
}

/// Enters a function in the list that [`init`](crate::init) takes.
///
/// Python finds the function by its name in the imported module; here the list says which functions a
/// child may run.
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
pub fn task<F, Args>(function: F) -> RegisteredTask
where
    F: Task<Args>,
    Args: Serialize + DeserializeOwned,
{
    const { refuse_captures::<F>() };
    let run = move |arguments: Parcel, opened: &dyn Fn()| {
        let (arguments, arriving) = luggage::with_arriving(|| parcel::open::<Args>(arguments));
        let arguments = match arguments {
            Ok(arguments) => arguments,
            // The parent takes back the handles in them, also those that were opened.
            Err(reason) => return Outcome::UnreadableArguments(reason),
        };
        // The one right after the other: killed between them, the parent would take back what has arrived.
        arriving.arrive();
        opened();
        drop(arriving);
        match parcel::pack(&function.call(arguments)) {
            Ok(answer) => Outcome::Answered(answer),
            Err(reason) => Outcome::UnsendableAnswer(reason),
        }
    };
    RegisteredTask {
        type_id: TypeId::of::<F>(),
        name: type_name::<F>(),
        run: Box::new(run),
        run_batch: Box::new(move |inputs, count, starting, results| {
            pool::run_batch::<F, Args>(function, inputs, count, starting, results);
        }),
    }
}

static TABLE: OnceLock<Vec<RegisteredTask>> = OnceLock::new();

/// Keeps the list for the rest of the program; false if there was one already.
pub(crate) fn register(tasks: Vec<RegisteredTask>) -> bool {
    TABLE.set(tasks).is_ok()
}

/// The list given to `init`.
pub(crate) fn table() -> Result<&'static [RegisteredTask]> {
    TABLE.get().map(Vec::as_slice).ok_or(Error::NotInitialized)
}

/// Stops the build for anything that carries data of its own.
const fn refuse_captures<F>() {
    assert!(
        size_of::<F>() == 0,
        "only a plain function can run in another process, not a closure that captures \
         variables and not a function pointer"
    );
}

/// The place of a function in the list.
pub(crate) fn index_of<F: 'static>(_: F) -> Result<u32> {
    const { refuse_captures::<F>() };
    // By type: two closures can have one name, but every function has a type of its own.
    let is_it = |(_, task): &(u32, &RegisteredTask)| task.type_id == TypeId::of::<F>();
    let found = (0..).zip(table()?).find(is_it);
    found.map(|(index, _)| index).ok_or(Error::NotRegistered {
        function: type_name::<F>(),
    })
}

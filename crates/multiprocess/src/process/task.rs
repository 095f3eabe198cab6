//! Functions that can run in another process.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::transfer::codec;

/// A function that can run in another process: a plain `fn` of up to six arguments.
///
/// Arguments and result travel between processes, so they are types that serde can serialise and deserialise, owned by
/// the function (`String`, not `&str`). Every such function has this trait.
///
/// The build refuses a closure that captures variables, which would not exist in the child:
///
/// ```compile_fail,E0080
/// let factor = 3;
/// let scale = move |number: i64| factor * number;
/// multiprocess::init([multiprocess::task(scale)]);
/// ```
///
/// It refuses a function pointer, since the child can't know its function, and what serde cannot serialise:
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

    #[doc(hidden)]
    fn call(self, args: Args) -> Self::Output;

    #[doc(hidden)]
    fn write(args: &Args, bytes: &mut Vec<u8>) -> Result<(), String>;

    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Result<Args, String>;
}

macro_rules! implement_task {
    ($($arg:ident),*) => {
        impl<F, R, $($arg),*> Task<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Copy + Send + Sync + 'static,
            R: Serialize + DeserializeOwned + 'static,
            $($arg: Serialize + DeserializeOwned + 'static,)*
        {
            type Output = R;

            #[allow(non_snake_case, reason = "each argument is named like its type")]
            fn call(self, ($($arg,)*): ($($arg,)*)) -> R {
                self($($arg),*)
            }

            #[inline]
            #[allow(
                non_snake_case,
                unused_variables,
                reason = "as above; there may be no arguments"
            )]
            fn write(
                ($($arg,)*): &($($arg,)*),
                bytes: &mut Vec<u8>,
            ) -> Result<(), String> {
                $(codec::write($arg, bytes)?;)*
                Ok(())
            }

            #[inline]
            #[allow(unused_mut, unused_variables, reason = "there may be no arguments")]
            fn read(mut bytes: &[u8]) -> Result<($($arg,)*), String> {
                Ok(($(codec::read::<$arg>(&mut bytes)?,)*))
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

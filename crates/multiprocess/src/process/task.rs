//! Functions that can run in another process.

use std::any::TypeId;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::transfer::codec;

/// A function that can run in another process: a plain `fn` with up to six arguments.
///
/// The arguments and the result travel between processes, so serde must be able to serialise and deserialise their
/// types, and the function must own them (`String`, not `&str`). Every such function implements this trait.
///
/// A function can return an error: if its `Result` has the error type `anyhow::Error`, a boxed `dyn Error`, or a type
/// with [`std::error::Error`], then `Output` is the type of its `Ok`, and its `Err` arrives as
/// [`Error::Failed`](crate::Error::Failed), or in a pool as [`TaskFailure::Failed`](crate::TaskFailure::Failed), with
/// the error's message and those of its sources; nothing is printed. Python: an exception. A `Result` with another
/// error type, such as `Result<i64, String>`, is an ordinary value, and arrives as it is.
///
/// `How` is the kind of the function's result, and is inferred. Only if the error type has `std::error::Error` and
/// serde can serialise it too, two kinds fit, and the compiler asks for a type. Then write it wherever you name the
/// function, `task::<_, _, OrError>(function)` and `spawn::<_, _, OrError>(function, args)`, or [`Plain`](crate::Plain)
/// if the `Result` should arrive as it is. Generic code accepts all functions with `fn run<F: Task<(A,), How>, A,
/// How>(function: F)`.
///
/// A closure that captures variables doesn't compile, since they wouldn't exist in the child; pass them as arguments.
/// (A closure that captures nothing works like a function, if you register and spawn the same one: keep it with `let`.)
///
/// ```compile_fail,E0080
/// let factor = 3;
/// let scale = move |number: i64| factor * number;
/// multiprocess::init([multiprocess::task(scale)]);
/// ```
///
/// Neither do a function pointer, since the child can't know its function, and types that serde can't serialise:
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
///
/// Neither do borrowed arguments ("`(&str,)` must implement `NoReferences`"), and more than six arguments; combine them
/// in a struct or a tuple:
///
/// ```compile_fail
/// fn length(word: &str) -> usize { word.len() }
/// multiprocess::init([multiprocess::task(length)]);
/// ```
///
/// ```compile_fail,E0277
/// fn sum(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) -> u8 { a + b + c + d + e + f + g }
/// multiprocess::init([multiprocess::task(sum)]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run in another process",
    label = "not a function of up to six owned arguments that serde can serialise and deserialise",
    note = "pass arguments as a tuple, even a single one: `spawn(doubler, (5,))`",
    note = "instead of more than six arguments, take a struct"
)]
pub trait Task<Args, How = Plain>: Copy + Send + Sync + 'static {
    /// The type of the function's result; if it can return an error, the type of its `Ok`.
    type Output: Serialize + DeserializeOwned + 'static;

    /// Returns a different id for each function, and for each kind of its result.
    #[doc(hidden)]
    fn id() -> TypeId;

    /// Calls the function; the error is the message of the function's own error.
    #[doc(hidden)]
    fn call(self, args: Args) -> Result<Self::Output, String>;

    #[doc(hidden)]
    fn write(args: &Args, bytes: &mut Vec<u8>) -> Result<(), String>;

    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Result<Args, String>;
}

impl<F, Args, How> Task<Args, How> for F
where
    F: Function<Args>,
    F::Returned: Answer<How>,
    Args: for<'de> NoReferences<'de>,
    How: 'static,
{
    type Output = <F::Returned as Answer<How>>::Value;

    fn id() -> TypeId {
        TypeId::of::<(F, How)>()
    }

    #[inline]
    fn call(self, args: Args) -> Result<Self::Output, String> {
        self.invoke(args).into_result()
    }

    #[inline]
    fn write(args: &Args, bytes: &mut Vec<u8>) -> Result<(), String> {
        args.write(bytes)
    }

    #[inline]
    fn read(bytes: &[u8]) -> Result<Args, String> {
        Args::read(bytes)
    }
}

/// A function, called with a tuple.
pub trait Function<Args>: Copy + Send + Sync + 'static {
    type Returned;

    fn invoke(self, args: Args) -> Self::Returned;
}

/// A tuple that can travel. (With [`DeserializeOwned`] instead, the compiler wouldn't name a `&str` in it.)
pub trait NoReferences<'de>: Sized {
    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String>;

    fn read(bytes: &'de [u8]) -> Result<Self, String>;
}

macro_rules! implement {
    ($($arg:ident),*) => {
        impl<F, R, $($arg),*> Function<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Copy + Send + Sync + 'static,
        {
            type Returned = R;

            #[inline]
            #[allow(non_snake_case, reason = "each argument is named like its type")]
            fn invoke(self, ($($arg,)*): ($($arg,)*)) -> R {
                self($($arg),*)
            }
        }

        impl<'de, $($arg),*> NoReferences<'de> for ($($arg,)*)
        where
            $($arg: Serialize + Deserialize<'de> + 'static,)*
        {
            #[inline]
            #[allow(
                non_snake_case,
                unused_variables,
                reason = "as above; there may be no arguments"
            )]
            fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
                let ($($arg,)*) = self;
                $(codec::write($arg, bytes)?;)*
                Ok(())
            }

            #[inline]
            #[allow(unused_mut, unused_variables, reason = "there may be no arguments")]
            fn read(mut bytes: &'de [u8]) -> Result<Self, String> {
                Ok(($(codec::read::<$arg>(&mut bytes)?,)*))
            }
        }
    };
}

implement!();
implement!(A);
implement!(A, B);
implement!(A, B, C);
implement!(A, B, C, D);
implement!(A, B, C, D, E);
implement!(A, B, C, D, E, G);

/// The result of a function: a value, or a `Result` of a value and an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a function that runs in another process",
    label = "neither a type that serde can serialise and deserialise, nor a `Result` of one and an error",
    note = "a type of your own, also in an `Ok`, needs `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "the error can be `anyhow::Error`, `Box<dyn Error + Send + Sync>`, or a type with `std::error::Error`"
)]
pub trait Answer<How> {
    type Value: Serialize + DeserializeOwned + 'static;

    fn into_result(self) -> Result<Self::Value, String>;
}

/// The kind of [`Task`] that returns a value, which may be a `Result`.
#[derive(Debug)]
pub struct Plain;
/// The kind of [`Task`] that returns a `Result` whose error has [`std::error::Error`].
#[derive(Debug)]
pub struct OrError;
/// The kind of [`Task`] that returns a `Result` whose error is `anyhow::Error` or a `Box<dyn Error + Send + Sync>`.
#[derive(Debug)]
pub struct OrDynError;
/// The kind of [`Task`] that returns a `Result` whose error is a `Box<dyn Error>`.
#[derive(Debug)]
pub struct OrBoxedError;

impl<T: Serialize + DeserializeOwned + 'static> Answer<Plain> for T {
    type Value = T;

    #[inline]
    fn into_result(self) -> Result<T, String> {
        Ok(self)
    }
}

macro_rules! or_error {
    ($how:ty, $error:ty $(where $any:ident: $bound:path)?, $lend:expr) => {
        impl<T, $($any: $bound)?> Answer<$how> for Result<T, $error>
        where
            T: Serialize + DeserializeOwned + 'static,
        {
            type Value = T;

            #[inline]
            fn into_result(self) -> Result<T, String> {
                self.map_err(|error| in_words(error, $lend))
            }
        }
    };
}

or_error!(OrError, E where E: Error, |error| error);
// `anyhow::Error` and boxed errors only lend a [`std::error::Error`], and don't implement it.
or_error!(OrDynError, E where E: AsRef<dyn Error + Send + Sync>, |error| error.as_ref());
or_error!(OrBoxedError, Box<dyn Error>, |error| error.as_ref());

/// Returns the messages of an error and its sources, each once: many errors repeat their source's.
#[cold]
fn in_words<E>(error: E, lend: fn(&E) -> &dyn Error) -> String {
    let said = catch_unwind(AssertUnwindSafe(|| {
        let mut words = lend(&error).to_string();
        let sources = std::iter::successors(lend(&error).source(), |&source| source.source());
        // An error may be its own source.
        for source in sources.take(100).map(ToString::to_string) {
            if words != source && !words.ends_with(&format!(": {source}")) {
                words = format!("{words}: {source}");
            }
        }
        words
    }));
    // Not while unwinding: its `Drop` may panic too.
    drop(error);
    said.unwrap_or_else(|panic| resume_unwind(panic))
}

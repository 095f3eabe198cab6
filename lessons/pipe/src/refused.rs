//! What the compiler refuses. Each example is checked: `cargo test --doc -p pipe`.
//!
//! Two processes on one end, which Python allows, and which spoils the messages: an end has one
//! owner, and who gives it away has it no more.
//!
//! ```compile_fail,E0382
//! # use multiprocess::{Connection, pipe, spawn};
//! #
//! # fn speaker(letter: String, listener: Connection<String, ()>) {}
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(speaker)]);
//! // does not compile: use of moved value: `theirs`
//! let (ours, theirs) = pipe()?;
//! spawn(speaker, ("A".to_string(), theirs))?;
//! spawn(speaker, ("B".to_string(), theirs))?;
//! # Ok(())
//! # }
//! ```
//!
//! A copy, to get round that:
//!
//! ```compile_fail,E0599
//! use multiprocess::{Connection, pipe, spawn};
//!
//! fn speaker(listener: Connection<String, ()>) {}
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     let (ours, theirs) = pipe::<(), String>()?;
//!     spawn(speaker, (theirs.clone(),))?; // E0599: no method named `clone`
//!     Ok(())
//! }
//! ```
//!
//! To send something else than the other end receives:
//!
//! ```compile_fail,E0308
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([]);
//! # let (ours, theirs) = multiprocess::pipe::<i64, i64>()?;
//! // does not compile: mismatched types
//! ours.send("ten")?;
//! # Ok(())
//! # }
//! ```
//!
//! To take the answer as if there had to be one:
//!
//! ```compile_fail,E0308
//! fn main() -> Result<(), multiprocess::Error> {
//!     let (ours, theirs) = multiprocess::pipe::<i64, i64>()?;
//!     let answer: i64 = ours.recv(); // E0308: expected `i64`, found `Result<i64, Error>`
//!     Ok(())
//! }
//! ```

//! What the compiler refuses. `cargo test --doc -p pipe` checks each example.
//!
//! Two processes on one end. Python allows it, and the messages get corrupted. In Rust an end has one
//! owner:
//!
//! ```compile_fail,E0382
//! # use multiprocess::{Connection, pipe, spawn};
//! #
//! # fn speaker(letter: String, parent: Connection<String, ()>) {}
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(speaker)]);
//! let (ours, theirs) = pipe()?;
//! spawn(speaker, ("A".to_string(), theirs))?;
//! spawn(speaker, ("B".to_string(), theirs))?;
//! # Ok(())
//! # }
//! ```
//!
//! A copy of the end, to get around that:
//!
//! ```compile_fail,E0599
//! # use multiprocess::{Connection, pipe, spawn};
//! #
//! # fn speaker(letter: String, parent: Connection<String, ()>) {}
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(speaker)]);
//! # let (ours, theirs) = pipe::<(), String>()?;
//! // does not compile: no method named `clone` found
//! spawn(speaker, ("A".to_string(), theirs.clone()))?;
//! # Ok(())
//! # }
//! ```
//!
//! Sending something other than what the other end receives:
//!
//! ```compile_fail,E0308
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([]);
//! # let (ours, theirs) = multiprocess::pipe::<i64, i64>()?;
//! ours.send("ten")?;
//! # Ok(())
//! # }
//! ```
//!
//! Using the answer as if it always arrived:
//!
//! ```compile_fail,E0308
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([]);
//! # let (ours, theirs) = multiprocess::pipe::<i64, i64>()?;
//! // does not compile: mismatched types
//! let answer: i64 = ours.recv();
//! # Ok(())
//! # }
//! ```

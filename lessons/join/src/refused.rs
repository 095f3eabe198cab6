//! What the compiler refuses. Each example is checked: `cargo test --doc -p join`.
//!
//! Joining twice, where Python's second `join` returns at once: `join` takes the handle away.
//!
//! ```compile_fail,E0382
//! # fn doubled(number: i64) -> i64 {
//! #     number * 2
//! # }
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(doubled)]);
//! let child = multiprocess::spawn(doubled, (5,))?;
//! let ten = child.join()?;
//! let again = child.join()?;
//! # Ok(())
//! # }
//! ```
//!
//! An argument of the wrong type. Python starts the child all the same:
//!
//! ```compile_fail,E0308
//! # fn doubled(number: i64) -> i64 {
//! #     number * 2
//! # }
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(doubled)]);
//! let child = multiprocess::spawn(doubled, ("five",))?;
//! # Ok(())
//! # }
//! ```

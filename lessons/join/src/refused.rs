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
//! // does not compile: use of moved value: `child`
//! let child = multiprocess::spawn(doubled, (5,))?;
//! let ten = child.join()?;
//! let again = child.join()?;
//! # Ok(())
//! # }
//! ```
//!
//! The wrong type or number of arguments. Python sends them, and the child makes of them what it can:
//!
//! ```compile_fail,E0308
//! # fn doubled(number: i64) -> i64 {
//! #     number * 2
//! # }
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(doubled)]);
//! // does not compile: mismatched types
//! let child = multiprocess::spawn(doubled, ("five",))?;
//! # Ok(())
//! # }
//! ```

//! What the compiler refuses. Each example is checked: `cargo test --doc -p join`.
//!
//! Joining twice, where Python's second `join` returns at once: `join` takes the handle away.
//!
//! ```compile_fail,E0382
//! fn doubler(number: i64) -> i64 {
//!     number * 2
//! }
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([multiprocess::task(doubler)]);
//!     let child = multiprocess::spawn(doubler, (5,))?;
//!     let ten = child.join()?;
//!     let again = child.join()?; // E0382: use of moved value: `child`
//!     Ok(())
//! }
//! ```
//!
//! The wrong type or number of arguments. Python sends them, and the child makes of them what it can:
//!
//! ```compile_fail,E0308
//! fn doubler(number: i64) -> i64 {
//!     number * 2
//! }
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([multiprocess::task(doubler)]);
//!     let child = multiprocess::spawn(doubler, ("five",))?; // E0308: mismatched types
//!     Ok(())
//! }
//! ```

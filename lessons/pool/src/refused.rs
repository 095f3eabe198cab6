//! What the compiler refuses in this lesson. Each example is checked: `cargo test --doc -p pool`.
//!
//! Using a pool after `join`, where Python says `Pool not running` when it gets there:
//!
//! ```compile_fail,E0382
//! # fn squared(number: i64) -> i64 {
//! #     number * number
//! # }
//! #
//! # use multiprocess::Pool;
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(squared)]);
//! // does not compile: the pool was joined
//! let pool = Pool::new(3)?;
//! let squares = pool.map(squared, 1..=5)?;
//! pool.join();
//! let more = pool.map(squared, 6..=9)?;
//! # Ok(())
//! # }
//! ```
//!
//! Inputs of the wrong type, which Python finds out in the workers, if at all:
//!
//! ```compile_fail,E0271
//! # fn squared(number: i64) -> i64 {
//! #     number * number
//! # }
//! #
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(squared)]);
//! # let pool = multiprocess::Pool::new(3)?;
//! // does not compile: the inputs are texts
//! let squares = pool.map(squared, ["one", "two"])?;
//! # Ok(())
//! # }
//! ```
//!
//! A closure that uses variables from around it, where Python can't pickle a `lambda`:
//!
//! ```compile_fail,E0080
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([]);
//! # let pool = multiprocess::Pool::new(3)?;
//! // does not compile: only a plain function can run in another process
//! let exponent = 3;
//! let cubes = pool.map(move |number: i64| number.pow(exponent), 1..=5)?;
//! # Ok(())
//! # }
//! ```
//!
//! With the variable as an argument, it compiles and runs:
//!
//! ```
//! fn power(number: i64, exponent: u32) -> i64 {
//!     number.pow(exponent)
//! }
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([multiprocess::task(power)]);
//!     let pool = multiprocess::Pool::new(3)?;
//!     let exponent = 3;
//!     let cubes = pool.starmap(power, (1..=5).map(|number| (number, exponent)))?;
//!     pool.join();
//!     assert_eq!(cubes, [1, 8, 27, 64, 125]);
//!     Ok(())
//! }
//! ```

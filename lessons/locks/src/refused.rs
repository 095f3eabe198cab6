//! What the compiler refuses. Each example is checked: `cargo test --doc -p locks`.
//!
//! Two threads that change one number, which Python allows: to change a number one needs the only
//! reference to it, and there cannot be two of that kind.
//!
//! ```compile_fail,E0499
//! # use std::thread;
//! #
//! // does not compile: cannot borrow `total` as mutable more than once at a time
//! let mut total = 0;
//! thread::scope(|scope| {
//!     scope.spawn(|| total += 1);
//!     scope.spawn(|| total += 1);
//! });
//! ```
//!
//! One thread that changes a number while another reads it:
//!
//! ```compile_fail,E0502
//! use std::thread;
//!
//! let mut total = 0;
//! thread::scope(|scope| {
//!     scope.spawn(|| total += 1);
//!     scope.spawn(|| println!("{total}")); // E0502: cannot borrow `total` as immutable
//! });
//! ```
//!
//! To reach what a lock guards without locking:
//!
//! ```compile_fail,E0368
//! # use std::sync::Mutex;
//! #
//! // does not compile: binary assignment operation `+=` cannot be applied to type `std::sync::Mutex<{integer}>`
//! let total = Mutex::new(0);
//! total += 1;
//! ```
//!
//! To keep hold of it after the lock was released:
//!
//! ```compile_fail,E0505
//! # use std::sync::Mutex;
//! #
//! # let total = Mutex::new(0);
//! // does not compile: cannot move out of `guard` because it is borrowed
//! let mut guard = total.lock().unwrap();
//! let number = &mut *guard;
//! drop(guard);
//! *number += 1;
//! ```
//!
//! The same between processes:
//!
//! ```compile_fail,E0505
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([]);
//!     let balance = multiprocess::Value::new(200)?;
//!     let mut guard = balance.lock()?;
//!     let number = &mut *guard;
//!     drop(guard); // E0505: cannot move out of `guard` because it is borrowed
//!     *number += 1;
//!     Ok(())
//! }
//! ```

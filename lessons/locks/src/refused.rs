//! What the compiler refuses. `cargo test --doc -p locks` checks every example.
//!
//! Two threads that change the same number:
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
//! A change of locked data without the lock:
//!
//! ```compile_fail,E0368
//! # use std::sync::Mutex;
//! #
//! // does not compile: binary assignment operation `+=` cannot be applied to type `std::sync::Mutex<{integer}>`
//! let total = Mutex::new(0);
//! total += 1;
//! ```
//!
//! A change of locked data after the lock was released:
//!
//! ```compile_fail,E0505
//! # use std::sync::Mutex;
//! #
//! # let total = Mutex::new(0);
//! let mut guard = total.lock().unwrap();
//! let number = &mut *guard;
//! drop(guard);
//! *number += 1;
//! ```
//!
//! An `Rc` in another thread:
//!
//! ```compile_fail,E0277
//! # use std::rc::Rc;
//! # use std::sync::Mutex;
//! # use std::thread;
//! #
//! // does not compile: `Rc<std::sync::Mutex<i32>>` cannot be sent between threads safely
//! let total = Rc::new(Mutex::new(0));
//! thread::spawn(move || *total.lock().unwrap() += 1);
//! ```
//!
//! A `RefCell` that threads share:
//!
//! ```compile_fail,E0277
//! # use std::cell::RefCell;
//! # use std::sync::Arc;
//! # use std::thread;
//! #
//! let total = Arc::new(RefCell::new(0));
//! thread::spawn(move || *total.borrow_mut() += 1);
//! ```
//!
//! A change of data that processes share, after the lock was released:
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

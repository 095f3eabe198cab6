//! What the compiler refuses. Each example is checked: `cargo test --doc -p naming`.
//!
//! Printing a name that may be missing, where Python would print `None`:
//!
//! ```compile_fail,E0277
//! # use std::thread;
//! #
//! let me = thread::current();
//! println!("my name is {}", me.name());
//! ```
//!
//! A `match` that forgets the threads without a name:
//!
//! ```compile_fail,E0004
//! # let me = std::thread::current();
//! match me.name() {
//!     Some(name) => println!("my name is {name}"),
//! }
//! ```

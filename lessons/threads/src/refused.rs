//! What the compiler refuses in this lesson.
//!
//! ```rust,compile_fail,E0061
//! // does not compile: this function takes 1 argument but 2 arguments were supplied
//! fn cube(number: i64) -> i64 {
//!     number * number * number
//! }
//!
//! std::thread::spawn(|| cube(2, 3));
//! ```
//!
//! The same with the right number of arguments compiles and runs:
//!
//! ```rust
//! fn cube(number: i64) -> i64 {
//!     number * number * number
//! }
//!
//! let worker = std::thread::spawn(|| cube(2));
//! assert_eq!(worker.join().unwrap(), 8);
//! ```

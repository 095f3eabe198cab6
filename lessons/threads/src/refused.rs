//! What the compiler refuses in this lesson.
//!
//! ```rust,compile_fail,E0373
//! # use std::thread;
//! # let pause = std::time::Duration::from_millis(100);
//! let task = thread::spawn(|| thread::sleep(pause));
//! # task.join().unwrap();
//! ```
//!
//! ```rust,compile_fail,E0382
//! # use std::thread;
//! let name = String::from("fast");
//! let task = thread::spawn(move || println!("{name} runs"));
//! println!("{name} was started");
//! # task.join().unwrap();
//! ```
//!
//! ```rust,compile_fail,E0061
//! // does not compile: this function takes 1 argument but 2 arguments were supplied
//! # use std::thread;
//! # fn cube(number: i64) -> i64 {
//! #     number * number * number
//! # }
//! thread::spawn(|| cube(2, 3));
//! ```
//!
//! Corrected, all three compile and run:
//!
//! ```rust
//! # use std::thread;
//! let pause = std::time::Duration::from_millis(100);
//! let task = thread::spawn(move || thread::sleep(pause));
//! task.join().unwrap();
//!
//! let name = String::from("fast");
//! println!("{name} is starting");
//! let task = thread::spawn(move || println!("{name} runs"));
//! task.join().unwrap();
//!
//! fn cube(number: i64) -> i64 {
//!     number * number * number
//! }
//! let worker = thread::spawn(|| cube(2));
//! assert_eq!(worker.join().unwrap(), 8);
//! ```

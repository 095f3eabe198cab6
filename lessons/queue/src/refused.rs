//! What the compiler refuses. Each example is checked: `cargo test --doc -p queue`.
//!
//! To hand a queue between threads to another process, which in Python fails when the program runs,
//! or not even then: its memory is that of one process, so it cannot travel.
//!
//! ```compile_fail,E0277
//! // does not compile: the trait bound `crossbeam_channel::Sender<String>: serde::Serialize` is not satisfied
//! fn fill(words: crossbeam_channel::Sender<String>) {
//!     words.send("hello".to_string()).unwrap();
//! }
//!
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([]);
//! let (sender, receiver) = crossbeam_channel::unbounded();
//! multiprocess::spawn(fill, (sender,))?;
//! # Ok(())
//! # }
//! ```
//!
//! The same with a queue between processes compiles:
//!
//! ```no_run
//! fn fill(words: multiprocess::Sender<String>) {
//!     words.send("hello".to_string()).unwrap();
//! }
//!
//! fn main() -> Result<(), multiprocess::Error> {
//!     multiprocess::init([multiprocess::task(fill)]);
//!     let (sender, receiver) = multiprocess::channel()?;
//!     multiprocess::spawn(fill, (sender,))?.join()?;
//!     assert_eq!(receiver.recv()?, "hello");
//!     Ok(())
//! }
//! ```
//!
//! To put an item of another type than the queue has:
//!
//! ```compile_fail,E0308
//! fn main() -> Result<(), multiprocess::Error> {
//!     let answers = multiprocess::Queue::<i64>::new()?;
//!     answers.put("forty-two")?; // E0308: mismatched types
//!     Ok(())
//! }
//! ```

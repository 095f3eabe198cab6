//! What the compiler refuses in this lesson. Each example is checked: `cargo test --doc -p queue`.
//!
//! Passing a thread queue to another process, which fails at run time in Python, or fills a copy:
//!
//! ```compile_fail,E0277
//! // does not compile: a thread queue can't travel to another process
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
//! The same with a channel between processes compiles:
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
//! Putting an item of another type than the queue has:
//!
//! ```compile_fail,E0308
//! # use multiprocess::Queue;
//! # fn main() -> Result<(), multiprocess::Error> {
//! // does not compile: the queue has numbers
//! let answers: Queue<i64> = Queue::new()?;
//! answers.put("forty-two")?;
//! # Ok(())
//! # }
//! ```
//!
//! Using an end of a channel that was moved into a child:
//!
//! ```compile_fail,E0382
//! # use multiprocess::{Sender, channel, spawn};
//! # fn send_numbers(numbers: Vec<i64>, sender: Sender<i64>) {}
//! # fn main() -> Result<(), multiprocess::Error> {
//! # multiprocess::init([multiprocess::task(send_numbers)]);
//! // does not compile: borrow of moved value: `sender`
//! let (sender, receiver) = channel()?;
//! let producer = spawn(send_numbers, (vec![5, 10, 13], sender))?;
//! sender.send(20)?;
//! # Ok(())
//! # }
//! ```

//! The handles of the `ipc-channel` package in values: they travel in arguments and results, and are refused elsewhere.

mod bridge;
mod collector;
mod watching;

pub(crate) use collector::{collect_handles, prepare, refuse_handles, within};
pub(crate) use watching::serialize;

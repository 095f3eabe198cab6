//! The handles of the `ipc-channel` package in values: they travel in arguments and results, and are refused elsewhere.

mod bridge;
mod collector;
mod refusal;

pub(crate) use collector::{Collector, prepare, within};
pub(crate) use refusal::{may_hold_handles, refuse_handles};

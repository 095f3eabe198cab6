//! Errors, and what they name: processes, and the words of users.

pub(crate) mod broken_by;
pub(crate) mod current;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod holder;
pub(crate) mod quoted;
pub(crate) mod send_error;
pub(crate) mod task_failure;

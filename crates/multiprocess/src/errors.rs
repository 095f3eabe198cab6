//! Errors, and what their messages quote: processes, and text from users.

pub(crate) mod broken_by;
pub(crate) mod current;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod holder;
pub(crate) mod quoted;
pub(crate) mod send_error;
pub(crate) mod task_failure;

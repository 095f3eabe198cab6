//! What happens, told to `tracing`, printed, and recorded.

pub(crate) mod events;
pub(crate) mod printer;
pub(crate) mod recorder;

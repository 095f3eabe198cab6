/// An actor that waits for its turn.
pub(crate) struct Parked {
    /// The number of actions that had happened when it was last asked whether it is ready.
    pub(crate) step: usize,
    /// The source line that it runs next.
    pub(crate) line: String,
    /// Whether it can run that line. If not, the lock that it needs is taken.
    pub(crate) is_ready: bool,
}

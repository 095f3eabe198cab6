//! The notice that a holder died, in the guards of all locks.

/// Adds the three methods of the notice to a guard; the closure returns the segment that the guard has locked.
macro_rules! death_notice {
    ($guard:ident $(<$of:ident>)?, $segment:expr) => {
        impl $(<$of>)? $guard<'_ $(, $of)?> {
            /// Returns whether a process died while it held the lock, so that what the lock guards may be half changed.
            ///
            /// It is true for every later holder, until one calls [`clear_death`](Self::clear_death); std's mutexes
            /// stay poisoned in the same way. For a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock), a thread that
            /// leaked its guard and ended counts as dead, too.
            #[must_use]
            pub fn holder_died(&self) -> bool {
                self.dead_holder().is_some()
            }

            /// Returns the process id of the last holder that died, if [`holder_died`](Self::holder_died).
            #[must_use]
            pub fn dead_holder(&self) -> Option<u32> {
                let segment: fn(&Self) -> &$crate::memory::segment::Segment = $segment;
                segment(self).dead_holder()
            }

            /// Clears the notice that a holder died, for later holders too. Call it when you have repaired the data. It
            /// is std's `Mutex::clear_poison`.
            pub fn clear_death(&mut self) {
                let segment: fn(&Self) -> &$crate::memory::segment::Segment = $segment;
                segment(self).clear_death();
            }
        }
    };
}
pub(crate) use death_notice;

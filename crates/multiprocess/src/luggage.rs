//! The segments whose handles stand in a value on its way: kept until it has arrived, taken back if it does not.

use std::cell::RefCell;
use std::sync::Arc;

use crate::memory::Segment;

thread_local! {
    /// What was serialised since packing began; `None` while this thread packs nothing, and a handle is
    /// serialised by somebody else, who keeps it himself.
    static PACKED: RefCell<Option<Luggage>> = const { RefCell::new(None) };
}

/// Notes a handle that was serialised.
pub(crate) fn add(segment: Arc<Segment>) {
    PACKED.with_borrow_mut(|packed| {
        if let Some(packed) = packed {
            packed.0.push(segment);
        }
    });
}

/// Packs a value, and gives the handles that were serialised with it.
pub(crate) fn with_luggage<R>(pack: impl FnOnce() -> R) -> (R, Luggage) {
    let outer = PACKED.replace(Some(Luggage::default()));
    let packed = pack();
    let luggage = PACKED.replace(outer).unwrap_or_default();
    (packed, luggage)
}

/// The segments whose handles stand in one value. Dropped, it is taken back: the value will not arrive.
#[derive(Default, Debug)]
pub(crate) struct Luggage(Vec<Arc<Segment>>);

impl Luggage {
    /// The value has arrived, or is where it will be taken from.
    pub(crate) fn deliver(mut self) {
        self.0.clear();
    }
}

impl Drop for Luggage {
    fn drop(&mut self) {
        for segment in &self.0 {
            segment.take_back();
        }
    }
}

//! The segments whose handles stand in a value on its way: kept until it has arrived, taken back if it does not.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::memory::Segment;

thread_local! {
    /// What was serialised since packing began; `None` while this thread packs nothing, and a handle is
    /// serialised by somebody else, who keeps it himself.
    static PACKED: RefCell<Option<Luggage>> = const { RefCell::new(None) };
    /// How many handles this thread has opened since it began to count.
    static OPENED: Cell<usize> = const { Cell::new(0) };
}

/// Something that was serialised, and is on its way.
pub(crate) trait Carried: Send + Sync {
    /// It will not arrive.
    fn take_back(&self);

    /// It has arrived, or will.
    fn deliver(&self) {}

    /// Whether it is what a handle ends with: some handles add several.
    fn ends_a_handle(&self) -> bool {
        false
    }
}

impl Carried for Segment {
    fn take_back(&self) {
        Segment::take_back(self);
    }

    fn ends_a_handle(&self) -> bool {
        true
    }
}

/// Notes a handle that was serialised.
pub(crate) fn add(carried: Arc<dyn Carried>) {
    PACKED.with_borrow_mut(|packed| {
        if let Some(packed) = packed {
            packed.0.push(carried);
        }
    });
}

/// Adds what was packed apart to what this thread packs. Where it packs nothing, nothing will arrive.
pub(crate) fn add_all(mut luggage: Luggage) {
    PACKED.with_borrow_mut(|packed| {
        if let Some(packed) = packed {
            packed.0.append(&mut luggage.0);
        }
    });
}

/// Counts the handles that this thread opens from now on.
pub(crate) fn count_opened() {
    OPENED.set(0);
}

/// Notes a handle that was opened.
pub(crate) fn note_opened() {
    OPENED.set(OPENED.get() + 1);
}

/// How many handles this thread has opened since [`count_opened`].
pub(crate) fn opened() -> usize {
    OPENED.get()
}

/// Packs a value, and gives the handles that were serialised with it.
pub(crate) fn with_luggage<R>(pack: impl FnOnce() -> R) -> (R, Luggage) {
    /// Restores what was there before, also where packing panics.
    struct Outer(Option<Luggage>);

    impl Drop for Outer {
        fn drop(&mut self) {
            PACKED.set(self.0.take());
        }
    }

    let _outer = Outer(PACKED.replace(Some(Luggage::default())));
    let packed = pack();
    let luggage = PACKED.take().unwrap_or_default();
    (packed, luggage)
}

/// What is on its way with one value. Dropped, it is taken back: the value will not arrive.
#[derive(Default)]
pub(crate) struct Luggage(Vec<Arc<dyn Carried>>);

impl Luggage {
    /// The value has arrived, or is where it will be taken from.
    pub(crate) fn deliver(mut self) {
        for carried in self.0.drain(..) {
            carried.deliver();
        }
    }

    /// Reading the value came only so far: so many handles in it were opened, and the others never will be.
    pub(crate) fn deliver_first(mut self, opened: usize) {
        // They are read in the order in which they were written.
        let mut ends = self.0.iter().map(|carried| carried.ends_a_handle());
        let mut arrived = 0;
        for _ in 0..opened {
            arrived += ends
                .by_ref()
                .position(|end| end)
                .map_or(0, |place| place + 1);
        }
        drop(ends);
        for carried in self.0.drain(..arrived) {
            carried.deliver();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Luggage {
    fn drop(&mut self) {
        for carried in &self.0 {
            carried.take_back();
        }
    }
}

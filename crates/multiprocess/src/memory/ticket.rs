//! Tickets: segments on their way to another process.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::memory::place::Place;
use crate::memory::{Segment, Use, open_segment};

/// A segment on its way to another process, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    place: Place,
    length: u64,
    usage: Use,
    /// What the segment holds, to be compared where it arrives.
    content: String,
}
thread_local! {
    /// Why this thread could not open a segment the last time: the words of an error are lost in postcard.
    static WHY_NOT: Cell<Option<String>> = const { Cell::new(None) };
}

/// Why this thread could not open a segment, since it was asked last.
pub(crate) fn why_not_opened() -> Option<String> {
    WHY_NOT.take()
}

impl Segment {
    /// Writes a ticket with which another process can open the segment. Until it does so, or `take_back` is
    /// called, the segment stays. It is an error where no message is being packed.
    pub(crate) fn ticket<E: serde::ser::Error>(
        self: &Arc<Self>,
        content: &str,
    ) -> Result<Ticket, E> {
        crate::luggage::check_packing(content).map_err(E::custom)?;
        self.header().in_flight.fetch_add(1, Ordering::AcqRel);
        let carried: Arc<Segment> = Arc::clone(self);
        crate::luggage::add(carried);
        Ok(Ticket {
            place: self.place.clone(),
            length: self.length as u64,
            usage: self.usage,
            content: content.to_owned(),
        })
    }

    /// Takes back a ticket that will not be used.
    pub(crate) fn take_back(&self) {
        let in_flight = &self.header().in_flight;
        let _ = in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            count.checked_sub(1)
        });
    }

    /// Opens the segment of a ticket, which is used up. The error says why it cannot be: also where the ticket did not
    /// come with a message, since nobody counts it then as on its way.
    pub(crate) fn open(ticket: &Ticket, content: &str) -> Result<Arc<Segment>, String> {
        crate::luggage::check_reading(content)?;
        Self::find(ticket, content).inspect_err(|reason| WHY_NOT.set(Some(reason.clone())))
    }

    fn find(ticket: &Ticket, content: &str) -> Result<Arc<Segment>, String> {
        if ticket.content != content {
            return Err(format!(
                "it is {} and was asked for as {content}",
                ticket.content
            ));
        }
        let segment = match open_segment(&ticket.place) {
            Some(segment) => segment,
            None => Self::map_at(&ticket.place, Some(ticket.length), ticket.usage, false)?,
        };
        let carried: Arc<Segment> = Arc::clone(&segment);
        crate::luggage::arrive(carried);
        crate::luggage::note_opened();
        Ok(segment)
    }
}

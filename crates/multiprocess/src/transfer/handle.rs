//! Segments on their way to another process, as handles.

use std::cell::Cell;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::memory::segment::{Address, Segment};
use crate::transfer::attachments::{self, Attachment};

/// A segment on its way to another process, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SegmentHandle {
    address: Address,
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

impl Attachment for Segment {
    fn cancel(&self) {
        self.count_arrival();
    }

    fn ends_a_handle(&self) -> bool {
        true
    }
}

impl Segment {
    /// Writes a ticket with which another process can open the segment. Until it does so, or the ticket is taken back,
    /// the segment stays. It is an error where no message is being packed.
    pub(crate) fn ticket<E: serde::ser::Error>(
        self: &Arc<Self>,
        content: &str,
    ) -> Result<SegmentHandle, E> {
        attachments::check_packing(content).map_err(E::custom)?;
        self.count_departure();
        let carried: Arc<Segment> = Arc::clone(self);
        attachments::add(carried);
        Ok(SegmentHandle {
            address: self.address(),
            content: content.to_owned(),
        })
    }

    /// Opens the segment of a ticket, which is used up. The error says why it cannot be: also where the ticket did not
    /// come with a message, since nobody counts it then as on its way.
    pub(crate) fn open(ticket: &SegmentHandle, content: &str) -> Result<Arc<Segment>, String> {
        attachments::check_reading(content)?;
        Self::find(ticket, content).inspect_err(|reason| WHY_NOT.set(Some(reason.clone())))
    }

    fn find(ticket: &SegmentHandle, content: &str) -> Result<Arc<Segment>, String> {
        if ticket.content != content {
            return Err(format!(
                "it is {} and was asked for as {content}",
                ticket.content
            ));
        }
        let segment = Self::at(&ticket.address)?;
        let carried: Arc<Segment> = Arc::clone(&segment);
        attachments::arrive(carried);
        attachments::note_opened();
        Ok(segment)
    }
}

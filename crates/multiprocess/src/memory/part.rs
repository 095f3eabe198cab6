//! Parts of a slot: other slots that belong to it, and are freed with it, such as the rings of a channel.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::memory::chunk::Chunk;
use crate::memory::layout::{Access, Content, Pointer};
use crate::memory::owner::{Owner, State};
use crate::memory::reference::Reference;
use crate::memory::slot::Slot;
use crate::memory::{freeing, place, registry};

impl Slot {
    /// Makes a slot that belongs to this one; see [`part`](Slot::part).
    pub(crate) fn add_part(&self, content: Content) -> io::Result<()> {
        let _making = registry::making()?;
        place::add_part(&self.target(), content)
    }

    /// Returns the first part with that use. All others have to use the same.
    pub(crate) fn part(&self, access: Access) -> io::Result<Option<Arc<Slot>>> {
        let mut found = None;
        let mut next = self
            .view
            .chunk
            .slot(self.unit())
            .parts
            .load(Ordering::Acquire);
        while let Some(pointer) = Pointer::of(next) {
            let chunk = Chunk::find(self.run(), pointer)?;
            next = chunk.slot(pointer.unit).parts.load(Ordering::Acquire);
            let content = chunk.content(pointer.unit);
            if content.is_some_and(|content| content.access == access) {
                // The last in the chain was the first.
                found = Some((chunk, pointer.unit));
            }
        }
        found
            .map(|(chunk, unit)| Slot::unowned(&chunk, unit))
            .transpose()
    }

    /// Makes a slot that will belong to this one. Until [`keep_part`](Slot::keep_part), it is freed with the reference.
    pub(crate) fn new_part(&self, content: Content) -> io::Result<(Reference, Arc<Slot>)> {
        let _making = registry::making()?;
        let reference = Reference::make(self.run(), 0, 0, content)?;
        let part = Slot::unowned(&reference.target().chunk, reference.target().unit)?;
        Ok((reference, part))
    }

    /// Makes a slot belong to this one.
    pub(crate) fn keep_part(&self, part: &Reference) {
        part.pass_to(Owner::part(self.pointer(), self.generation()));
    }

    /// Returns a slot with that use, which belongs to this one.
    pub(crate) fn part_at(&self, pointer: Pointer, access: Access) -> io::Result<Arc<Slot>> {
        let part = Slot::unowned(&Chunk::find(self.run(), pointer)?, pointer.unit)?;
        if part.view.content.access == access {
            return Ok(part);
        }
        Err(ErrorKind::InvalidData.into())
    }

    /// Frees a slot that belongs to this one; if a generation is given, only that.
    pub(crate) fn free_part(&self, pointer: Pointer, generation: Option<u32>) {
        if let Ok(chunk) = Chunk::find(self.run(), pointer) {
            let now = State::of(&chunk.slot(pointer.unit).state).generation();
            if generation.is_none_or(|generation| generation == now) {
                freeing::release_part(
                    &chunk,
                    pointer.unit,
                    Owner::part(self.pointer(), self.generation()),
                );
            }
        }
    }
}

//! Shared memory of elements: what `Array`, `Value`, `RawArray` and `RawValue` have in common.

use std::sync::Arc;

use crate::errors::error::{Error, Result};
use crate::memory::segment::{Access, Segment};

/// Makes memory for elements whose bytes are all zero; `what` returns its name in errors.
pub(crate) fn create<T>(
    length: usize,
    usage: Access,
    what: impl FnOnce() -> String,
) -> Result<Arc<Segment>> {
    const {
        assert!(size_of::<T>() > 0, "an element has at least one byte");
        assert!(
            align_of::<T>() <= 64,
            "elements are aligned to 64 bytes at most"
        );
    }
    // What is larger than the address space is larger than memory.
    let bytes = length.saturating_mul(size_of::<T>());
    Segment::create(bytes, usage).map_err(|source| Error::memory(what(), source))
}

/// Makes a struct of `memory` and `elements` a handle.
macro_rules! typed_memory {
    ($handle:ident, $content:literal) => {
        impl<T> $handle<T> {
            fn of(memory: std::sync::Arc<$crate::memory::segment::Segment>) -> Self {
                $handle {
                    memory,
                    elements: std::marker::PhantomData,
                }
            }

            fn content() -> String {
                format!(concat!($content, "<{}>"), std::any::type_name::<T>())
            }
        }

        /// Another handle to the same memory, not a copy.
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                $handle::of(std::sync::Arc::clone(&self.memory))
            }
        }

        #[allow(
            clippy::missing_fields_in_debug,
            reason = "the name of their type says more about the elements"
        )]
        impl<T> std::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($handle))
                    .field("elements", &std::any::type_name::<T>())
                    .field("memory", &self.memory)
                    .finish()
            }
        }

        $crate::transfer::handle::handle!(
            $handle<T>,
            &$handle::<T>::content(),
            |handle| Ok((&handle.memory, ())),
            |memory, ()| Ok($handle::of(memory)),
        );
    };
}
pub(crate) use typed_memory;

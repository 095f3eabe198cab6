//! Shared memory that holds elements: what `Array`, `Value`, `RawArray` and `RawValue` have in common.

use std::sync::Arc;

use crate::errors::error::{Error, Result};
use crate::memory::layout::{Access, Content};
use crate::memory::slot::Slot;

/// What a slot has besides its data.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) locks: u8,
    /// Units of words.
    pub(crate) words: u8,
    pub(crate) access: Access,
}

/// Only data, with its lock.
pub(crate) const LOCKED: Layout = Layout {
    locks: 1,
    words: 0,
    access: Access::Locked,
};

/// Only data, without a lock.
pub(crate) const ATOMIC: Layout = Layout {
    locks: 0,
    words: 0,
    access: Access::Atomic,
};

/// Creates memory for elements whose bytes are all zero; `what` returns its name in errors.
pub(crate) fn create<T>(
    length: usize,
    layout: Layout,
    what: impl FnOnce() -> String,
) -> Result<Arc<Slot>> {
    const {
        assert!(size_of::<T>() > 0, "an element has at least one byte");
        let is_aligned = align_of::<T>() <= 64;
        assert!(is_aligned, "elements are aligned to 64 bytes at most");
    }
    let Layout {
        locks,
        words,
        access,
    } = layout;
    // More than the address space is also more than the memory.
    let length = length.saturating_mul(size_of::<T>());
    let created = Slot::create(locks, words, Content { length, access });
    created.map_err(|source| Error::memory(what(), source))
}

/// Defines a handle to elements, whose type in errors begins with `$content`.
macro_rules! typed_memory {
    ($(#[$doc:meta])* pub struct $handle:ident<T>, $content:literal) => {
        $(#[$doc])*
        pub struct $handle<T> {
            memory: std::sync::Arc<$crate::memory::slot::Slot>,
            elements: std::marker::PhantomData<T>,
        }

        impl<T> $handle<T> {
            fn of(memory: std::sync::Arc<$crate::memory::slot::Slot>) -> Self {
                let elements = std::marker::PhantomData;
                $handle { memory, elements }
            }

            fn content() -> String {
                format!(concat!($content, "<{}>"), std::any::type_name::<T>())
            }
        }

        /// Returns another handle to the same memory, not a copy of it.
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                $handle::of(std::sync::Arc::clone(&self.memory))
            }
        }

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

/// Defines the guard of a handle, which lends the elements by a function of [`bytemuck`].
macro_rules! typed_guard {
    (
        $(#[$doc:meta])*
        pub struct $guard:ident<T> of $handle:ident, $target:ty, $cast:ident, $cast_mut:ident
    ) => {
        $(#[$doc])*
        #[must_use = "dropping the guard releases the lock at once"]
        pub struct $guard<'a, T> {
            held: $crate::memory::slot::SlotGuard<'a>,
            lent: std::marker::PhantomData<&'a mut $target>,
        }

        $crate::sync::locking::locking!(
            $handle<T: bytemuck::Pod>,
            called: |_| $crate::errors::quoted::without_paths(&$handle::<T>::content()),
            $guard: |_, locked| {
                let lent = std::marker::PhantomData;
                locked.map(|held| $guard { held, lent })
            },
            memory: held.slot
        );

        impl<T: bytemuck::Pod> std::ops::Deref for $guard<'_, T> {
            type Target = $target;

            #[inline]
            fn deref(&self) -> &$target {
                bytemuck::$cast(&self.held)
            }
        }

        impl<T: bytemuck::Pod> std::ops::DerefMut for $guard<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut $target {
                bytemuck::$cast_mut(&mut self.held)
            }
        }

        impl<T: bytemuck::Pod + std::fmt::Debug> std::fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(crate) use typed_guard;

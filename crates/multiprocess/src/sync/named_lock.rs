//! A lock that guards no memory, and may have a name: what `Lock` and `RLock` have in common.

/// Defines such a lock. `$content` is its type in errors, `$one` and `$the` its text.
macro_rules! named_lock {
    (
        $(#[$doc:meta])*
        pub struct $handle:ident, $content:literal, $one:literal, $the:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $handle {
            name: Option<Box<str>>,
            memory: std::sync::Arc<$crate::memory::segment::Segment>,
        }

        impl $handle {
            /// Makes a free lock.
            ///
            /// # Errors
            ///
            /// [`Error::Memory`](crate::Error::Memory) if there is no shared memory for it.
            pub fn new() -> $crate::Result<$handle> {
                $handle::make(None)
            }

            /// Makes a lock with a name, which appears in the error of a wait that times out.
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`new`](", stringify!($handle), "::new).")]
            pub fn named(name: &str) -> $crate::Result<$handle> {
                $handle::make(Some(name.into()))
            }

            fn make(name: Option<Box<str>>) -> $crate::Result<$handle> {
                let usage = $crate::memory::segment::Access::Locked;
                let what = || $content.to_owned();
                let memory = $crate::sync::typed_memory::create::<u8>(0, usage, what)?;
                let lock = $handle { name, memory };
                $crate::trace::events::made(&lock.memory, || lock.to_string());
                Ok(lock)
            }
        }

        #[doc = concat!("`", $one, "`, or `", $the, " 'left'`.")]
        impl std::fmt::Display for $handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match &self.name {
                    Some(name) => write!(f, "{} '{}'", $the, $crate::errors::quoted::Name(name)),
                    None => f.write_str($one),
                }
            }
        }

        $crate::transfer::handle::handle!(
            $handle,
            $content,
            |lock| Ok((&lock.memory, &lock.name)),
            |memory, name| Ok($handle { name, memory }),
        );
    };
}
pub(crate) use named_lock;

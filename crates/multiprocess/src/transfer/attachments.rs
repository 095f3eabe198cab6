//! Attachments: the handles in a value in flight. They are committed when it arrives, and dropped if it doesn't.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::LocalKey;

use crate::memory::name::Run;
use crate::memory::owner::Owner;
use crate::memory::reference::Reference;
use crate::memory::sent::Sent;

thread_local! {
    /// The handles serialised since packing began; `None` while this thread packs nothing, so that no handle can be
    /// serialised.
    static PACKED: RefCell<Option<Attachments>> = const { RefCell::new(None) };
    /// Whether this thread reads a value from a message; otherwise no handle can be read.
    static READING: RefCell<bool> = const { RefCell::new(false) };
}

/// The error for a handle that is serialised outside a message, or read from outside one.
pub(crate) const ONLY_IN_MESSAGES: &str = "is a handle, which travels only in messages of `multiprocess`: hand it over as an \
     argument or a result of a process or of a call of a pool, or send it through a Queue, a channel or a pipe of this \
     crate; other serialisers, and channels of other crates, cannot carry it";

/// Checks that a handle may be serialised now.
pub(crate) fn check_packing(what: &str) -> Result<(), String> {
    check(PACKED.with_borrow(Option::is_some), what)
}

/// Checks that a handle may be read now.
pub(crate) fn check_reading(what: &str) -> Result<(), String> {
    check(READING.with_borrow(|reading| *reading), what)
}

fn check(in_message: bool, what: &str) -> Result<(), String> {
    in_message
        .then_some(())
        .ok_or_else(|| format!("{what} {ONLY_IN_MESSAGES}"))
}

/// Reads a value from a message.
pub(crate) fn reading<R>(read: impl FnOnce() -> R) -> R {
    with_value(&READING, true, read).0
}

/// What belongs to a handle that was serialised, and is in flight.
pub(crate) trait Attachment: Send + Sync {
    /// The process that should have received it died before reading it.
    fn lost(&self, _pid: u32) {}

    /// It has arrived, or will.
    fn commit(&self) {}

    /// Returns the reference, if it is one.
    fn reference(&self) -> Option<&Reference> {
        None
    }
}

impl Attachment for Reference {
    fn reference(&self) -> Option<&Reference> {
        Some(self)
    }
}

/// Records a handle that was serialised.
pub(crate) fn add(attachment: Arc<impl Attachment + 'static>) {
    PACKED.with_borrow_mut(|packed| {
        if let Some(packed) = packed {
            packed.0.push(attachment);
        }
    });
}

/// Packs a value, and returns the handles that were serialised with it.
pub(crate) fn collect<R>(pack: impl FnOnce() -> R) -> (R, Attachments) {
    let (packed, attachments) = with_value(&PACKED, Some(Attachments::default()), pack);
    (packed, attachments.unwrap_or_default())
}

/// Runs `work` with another value in a thread-local, and also returns the value at the end. Restores the earlier value,
/// even if `work` panics.
fn with_value<T: Default, R>(
    place: &'static LocalKey<RefCell<T>>,
    value: T,
    work: impl FnOnce() -> R,
) -> (R, T) {
    struct Restore<T: Default + 'static>(&'static LocalKey<RefCell<T>>, T);

    impl<T: Default> Drop for Restore<T> {
        fn drop(&mut self) {
            self.0.set(std::mem::take(&mut self.1));
        }
    }

    let _restore = Restore(place, place.replace(value));
    let result = work();
    (result, place.take())
}

/// The attachments of one value. Dropping them releases its references.
#[derive(Clone, Default)]
pub(crate) struct Attachments(Vec<Arc<dyn Attachment>>);

impl Attachments {
    /// Takes over the references of a message from those that may own them. One that is gone, or that can't be found now,
    /// for example with too few descriptors, is left out: reading the handle is an error then.
    pub(crate) fn received(sent: &[Sent], from: &[Owner]) -> Attachments {
        let received = |sent: &Sent| Some(Arc::new(Reference::received(*sent, from)?) as _);
        Attachments(sent.iter().filter_map(received).collect())
    }

    /// Commits them: the value has arrived, or the receiver can take it.
    pub(crate) fn commit(&self) {
        self.0.iter().for_each(|attachment| attachment.commit());
    }

    /// The process that should have received the value died before reading it.
    pub(crate) fn lose(self, pid: u32) {
        self.0.iter().for_each(|attachment| attachment.lost(pid));
    }

    /// Checks that all references are of that run; the error says why such a handle can't be sent.
    pub(crate) fn check_run(&self, run: Run) -> Result<(), &'static str> {
        if self.references().all(|it| it.run() == run) {
            return Ok(());
        }
        Err("it contains a handle that another program made, or this one as another user")
    }

    pub(crate) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0
            .iter()
            .filter_map(|attachment| attachment.reference())
    }

    /// Passes the references on to another owner.
    pub(crate) fn pass_to(&self, owner: Owner) {
        self.references().for_each(|it| it.pass_to(owner));
    }

    /// Releases the references that were passed on to an owner that no longer needs them.
    pub(crate) fn release_from(&self, owner: Owner) {
        self.references().for_each(|it| it.release_from(owner));
    }

    /// Returns them with the references that were taken back, instead of those that were passed on.
    pub(crate) fn taken_back(mut self, references: Attachments) -> Attachments {
        self.0.retain(|attachment| attachment.reference().is_none());
        self.append(references);
        self
    }

    pub(crate) fn append(&mut self, mut others: Attachments) {
        self.0.append(&mut others.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! Attachments: the handles in a value in flight. They are committed when it arrives, and cancelled if it doesn't.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::LocalKey;

thread_local! {
    /// The handles serialised since packing began; `None` while this thread packs nothing, so that no handle can be
    /// serialised.
    static PACKED: RefCell<Option<Attachments>> = const { RefCell::new(None) };
    /// The handles that this thread has opened since reading began; `None` unless it reads a value that arrives as a
    /// whole.
    static ARRIVING: RefCell<Option<Arriving>> = const { RefCell::new(None) };
    /// Whether this thread reads a value from a message; otherwise no handle can be read.
    static READING: RefCell<bool> = const { RefCell::new(false) };
}

/// The error for a handle that is serialised outside a message, or read from outside one.
const ONLY_IN_MESSAGES: &str = "is a handle, which travels only in messages of `multiprocess`: hand it over as an \
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

/// Handles that were opened, but aren't counted as arrived yet.
type Arriving = Vec<Arc<dyn Attachment>>;

/// A handle that was serialised, and is in flight.
pub(crate) trait Attachment: Send + Sync {
    /// It is no longer in flight.
    fn cancel(&self);

    /// The process that should have received it died before reading it.
    fn lost(&self, _pid: u32) {
        self.cancel();
    }

    /// It has arrived, or will.
    fn commit(&self) {}
}

/// Records a handle that was serialised.
pub(crate) fn add(attachment: Arc<impl Attachment + 'static>) {
    PACKED.with_borrow_mut(|packed| {
        if let Some(packed) = packed {
            packed.0.push(attachment);
        }
    });
}

/// Counts a handle that was opened as arrived: now, or with the others of a value that arrives as a whole.
pub(crate) fn arrive(attachment: Arc<impl Attachment + 'static>) {
    ARRIVING.with_borrow_mut(|arriving| match arriving {
        Some(arriving) => arriving.push(attachment),
        None => attachment.cancel(),
    });
}

/// Reads a value, and returns the handles that were opened in it. They are in flight until each is cancelled: so the
/// sender can cancel all of them if the reader fails, and none is counted twice.
pub(crate) fn collect_arriving<R>(read: impl FnOnce() -> R) -> (R, Arriving) {
    let (read, arriving) = with_value(&ARRIVING, Some(Arriving::default()), read);
    (read, arriving.unwrap_or_default())
}

/// Reads a value while another is being read: keeps their handles apart.
pub(crate) fn apart<R>(read: impl FnOnce() -> R) -> R {
    with_value(&ARRIVING, None, read).0
}

/// Reads a value whose handles arrive together when it has been read, and then calls `confirm`, which notifies the
/// sender. Until then, and if the value can't be read, the sender cancels all of them.
#[inline]
pub(crate) fn read_whole<T, E>(
    read: impl FnOnce() -> Result<T, E>,
    confirm: impl FnOnce(),
) -> Result<T, E> {
    let (read, arriving) = collect_arriving(read);
    if read.is_ok() {
        // Immediately after each other: if this process is killed in between, the sender cancels what has arrived.
        for attachment in &arriving {
            attachment.cancel();
        }
        confirm();
    }
    read
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

/// The attachments of one value. Dropping them cancels them: the value will not arrive.
#[derive(Default)]
pub(crate) struct Attachments(Vec<Arc<dyn Attachment>>);

impl Attachments {
    /// Commits them: the value has arrived, or the receiver can take it.
    pub(crate) fn commit(self) {
        drop(self.settle(|attachment| attachment.commit()));
    }

    /// The process that should have received the value died before reading it.
    pub(crate) fn lose(self, pid: u32) {
        drop(self.settle(|attachment| attachment.lost(pid)));
    }

    /// Settles each, and returns them, since dropping the last handle of a channel drops user values.
    pub(crate) fn settle(mut self, how: impl Fn(&dyn Attachment)) -> Vec<Arc<dyn Attachment>> {
        let settled = std::mem::take(&mut self.0);
        for attachment in &settled {
            how(&**attachment);
        }
        settled
    }

    pub(crate) fn append(&mut self, mut others: Attachments) {
        self.0.append(&mut others.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Attachments {
    #[inline]
    fn drop(&mut self) {
        self.0.iter().for_each(|attachment| attachment.cancel());
    }
}

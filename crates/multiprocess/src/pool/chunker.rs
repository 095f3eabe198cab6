//! Divides the inputs of a call into batches.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::errors::task_failure::TaskFailure;
use crate::pool::job::{Arrived, Batch, Caller, Phase};
use crate::pool::message::Request;
use crate::pool::supervisor::Supervisor;
use crate::transfer::attachments::Attachments;

/// The maximum number of inputs per batch, if the pool chooses.
const MAX_CHOSEN: usize = 1 << 14;
/// The same for results that are taken one by one, from inputs that may be infinite.
pub(crate) const MAX_AHEAD: usize = 64;
/// Bytes after which a batch gets no more inputs. Even an empty input takes one, for its length.
const BYTES: usize = 1 << 20;
/// The maximum number of bytes of inputs in flight, unless that is fewer than two inputs per worker.
const BYTES_AHEAD: usize = 64 << 20;
/// How long a batch should take: long enough to hide the transfer, and short enough that all workers end at about the
/// same time.
const GOAL: Duration = Duration::from_millis(2);

/// A call, and its inputs that aren't sent yet.
pub(crate) struct Chunker<'a, I: Iterator, W> {
    supervisor: &'a Supervisor,
    pub(crate) call: Caller,
    inputs: std::iter::Fuse<I>,
    append: W,
    /// Inputs per batch, if the caller has chosen.
    fixed: Option<usize>,
    /// The number of inputs per batch that the pool has measured to be good, and the maximum.
    chosen: usize,
    pub(crate) most: usize,
    total: Option<usize>,
    pub(crate) sent: usize,
    /// The number of inputs that are no longer in flight; its user counts them.
    pub(crate) done: usize,
    bytes_sent: usize,
    /// How long it took to read an input of the last batch.
    pace: Duration,
    /// Whether there are no more inputs, also because the iterator has panicked.
    pub(crate) exhausted: bool,
    /// The panic of the iterator, until the caller of the pool has it.
    panic: Option<Box<dyn Any + Send>>,
}

impl<'a, I, W> Chunker<'a, I, W>
where
    I: Iterator,
    W: Fn(&mut Vec<u8>, &I::Item) -> Result<Attachments, String>,
{
    pub(crate) fn new(
        supervisor: &'a Supervisor,
        call: Caller,
        inputs: I,
        append: W,
        fixed: Option<usize>,
    ) -> Chunker<'a, I, W> {
        let (least, most) = inputs.size_hint();
        Chunker {
            supervisor,
            call,
            inputs: inputs.fuse(),
            append,
            fixed: fixed.map(|size| size.max(1)),
            chosen: 1,
            most: MAX_CHOSEN,
            total: most.filter(|&most| most == least),
            sent: 0,
            done: 0,
            bytes_sent: 0,
            pace: Duration::ZERO,
            exhausted: false,
            panic: None,
        }
    }

    pub(crate) fn total(&self) -> Option<usize> {
        if self.exhausted {
            Some(self.sent)
        } else {
            // An iterator's size hint may be wrong.
            self.total.map(|total| total.max(self.sent))
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.exhausted && self.done == self.sent
    }

    /// Resumes the iterator's panic, once.
    pub(crate) fn resume_panic(&mut self) {
        if let Some(panic) = self.panic.take() {
            resume_unwind(panic);
        }
    }

    /// Waits for results, and learns from their times how many inputs fit into a batch. An error is the last result.
    pub(crate) fn take(&mut self) -> Result<Vec<Arrived>, Phase> {
        let arrived = self.call.take(None).inspect_err(|_| {
            self.exhausted = true;
            self.done = self.sent;
        })?;
        for each in arrived.iter().filter_map(|some| some.each) {
            self.chosen = fitting(each).clamp(1, (self.chosen * 8).min(self.most));
        }
        Ok(arrived)
    }

    /// Returns how many inputs the next batch gets, if the pool chooses.
    fn choose(&self) -> usize {
        let fair = self.total.map_or(usize::MAX, |total| {
            let left = total.saturating_sub(self.sent);
            left.div_ceil(self.supervisor.settings.workers.saturating_mul(3))
        });
        self.chosen.min(fair).min(fitting(self.pace)).max(1)
    }

    fn has_room(&self) -> bool {
        let workers = self.supervisor.settings.workers;
        let ahead = self.sent - self.done;
        // Small batches are sent many at a time, so that a worker doesn't wait for each.
        let batch = self.fixed.unwrap_or(self.chosen);
        let window = workers.saturating_mul(batch.saturating_mul(4).max(128));
        let each = self.bytes_sent / self.sent.max(1);
        let is_light = ahead < 2 * workers || ahead.saturating_mul(each) < BYTES_AHEAD;
        !self.exhausted && ahead < window && is_light
    }

    /// Sends batches as long as there is room for them, and nothing `urgent` to do.
    pub(crate) fn send(&mut self, urgent: impl Fn(&Caller) -> bool) {
        // Batches are submitted together, but don't wait for slow inputs, nor while fewer inputs than workers are in
        // flight. (Counting batches there made a map of larger chunks a tenth slower.)
        const TOGETHER: usize = 16;
        const SLOW: Duration = Duration::from_micros(100);
        let mut batches = Vec::new();
        let mut since = Instant::now();
        while self.has_room() {
            batches.extend(self.next_batches());
            let has_idle = self.sent - self.done <= self.supervisor.settings.workers;
            if has_idle || batches.len() >= TOGETHER || since.elapsed() > SLOW {
                self.supervisor.submit(&mut batches);
                if urgent(&self.call) {
                    break;
                }
                since = Instant::now();
            }
        }
        self.supervisor.submit(&mut batches);
        if self.exhausted {
            self.call.all_is_in();
        }
    }

    /// Returns a batch that begins with that input.
    fn batch(&self, first: usize) -> Batch {
        Batch {
            call: Arc::clone(&self.call.0),
            first,
            count: 0,
            bytes: vec![0; Request::SIZE],
            attachments: Attachments::default(),
            mishaps: 0,
        }
    }

    /// Returns the next batches. An input that can't be sent has failed. If reading the inputs panics, those read before
    /// are the last, and [`resume_panic`](Chunker::resume_panic) resumes the panic.
    fn next_batches(&mut self) -> impl Iterator<Item = Batch> + use<I, W> {
        let count = self.fixed.unwrap_or_else(|| self.choose());
        let (first, start) = (self.sent, Instant::now());
        let mut batch = self.batch(first);
        // An input with handles is alone: if a worker dies, no other input needs them.
        let mut alone = None;
        let is_full = |batch: &Batch| batch.bytes.len() >= BYTES || !batch.attachments.is_empty();
        // The iterator may panic, and so may the `Drop` of an input; the batch is complete up to then.
        let read = catch_unwind(AssertUnwindSafe(|| {
            while (batch.count as usize) < count && !is_full(&batch) {
                let Some(input) = self.inputs.next() else {
                    self.exhausted = true;
                    break;
                };
                self.sent += 1;
                let begin = batch.bytes.len();
                match (self.append)(&mut batch.bytes, &input) {
                    Ok(attachments) if attachments.is_empty() => {}
                    Ok(attachments) if batch.count == 0 => batch.attachments = attachments,
                    Ok(attachments) => {
                        let mut next = self.batch(self.sent - 1);
                        next.count = 1;
                        next.bytes.extend(batch.bytes.drain(begin..));
                        next.attachments = attachments;
                        alone = Some(next);
                        break;
                    }
                    Err(reason) => {
                        let failure = TaskFailure::UnsendableInput { reason };
                        self.call.0.fail(self.sent - 1, 1, failure);
                        // Even an empty batch: the sender has to check whether there is room for more failures.
                        break;
                    }
                }
                batch.count += 1;
            }
        }));
        if let Err(panic) = read {
            self.exhausted = true;
            self.panic = Some(panic);
        }
        let read = u32::try_from(self.sent - first).unwrap_or(u32::MAX);
        self.pace = start.elapsed() / read.max(1);
        let batches = [Some(batch), alone];
        for batch in batches.iter().flatten() {
            self.bytes_sent = self.bytes_sent.saturating_add(batch.bytes.len());
        }
        batches
            .into_iter()
            .flatten()
            .filter(|batch| batch.count > 0)
    }
}

/// Returns how many inputs fit into a batch if each takes that long.
fn fitting(each: Duration) -> usize {
    let fitting = GOAL.as_nanos() / each.as_nanos().max(1);
    usize::try_from(fitting).unwrap_or(usize::MAX)
}

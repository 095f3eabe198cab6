//! A subscriber that only passes events on.

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

struct Listener {
    max: LevelFilter,
    hear: fn(&Event<'_>),
}

/// Returns a subscriber that passes the events up to that level to a function.
pub(super) fn up_to(max: Level, hear: fn(&Event<'_>)) -> Dispatch {
    let max = max.into();
    Dispatch::new(Listener { max, hear })
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.max
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max)
    }

    fn event(&self, event: &Event<'_>) {
        (self.hear)(event);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

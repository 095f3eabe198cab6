//! The trace event format of Chrome, which Perfetto reads too.

use serde_json::{Value, json};

use crate::model::{Item, Kind, Lane, Timeline};

/// Returns the timeline as a trace: processes and threads with their spans, marks, and arrows.
pub(crate) fn json(title: &str, timeline: &Timeline) -> String {
    let mut events = Vec::new();
    let mut add = |lane: &Lane, at, mut event: Value| {
        event["pid"] = lane.pid.into();
        event["tid"] = lane.thread.into();
        event["ts"] = microseconds(at).into();
        events.push(event);
    };
    for (number, lane) in timeline.lanes.iter().enumerate() {
        let (name, order) = (&lane.name, json!({ "sort_index": number }));
        let is_main = lane.thread == lane.pid;
        for kind in &["thread", "process"][..=usize::from(is_main)] {
            let [names, orders] = ["name", "sort_index"].map(|it| format!("{kind}_{it}"));
            let name = json!({ "ph": "M", "name": names, "args": { "name": name } });
            add(lane, lane.start, name);
            let order = json!({ "ph": "M", "name": orders, "args": order });
            add(lane, lane.start, order);
        }
        // An arrow must begin and end at a span, so one span covers the whole lane.
        let length = microseconds(lane.end - lane.start);
        let whole = json!({ "ph": "X", "name": "is alive", "dur": length });
        add(lane, lane.start, whole);
        let mut outer: Vec<&Item> = Vec::new();
        for (place, item) in lane.items.iter().enumerate() {
            let (start, end, name) = (item.start, item.end, item_name(item));
            outer.retain(|outer| outer.end > start);
            if item.kind >= Kind::Note {
                add(lane, start, json!({ "ph": "i", "name": name, "s": "t" }));
            } else if outer.last().is_none_or(|outer| end <= outer.end) {
                let length = microseconds(end - start);
                add(
                    lane,
                    start,
                    json!({ "ph": "X", "name": name, "dur": length }),
                );
                outer.push(item);
            } else {
                // The spans of a thread must be nested; one that isn't gets its own row.
                for (phase, at) in [("b", start), ("e", end)] {
                    let id = format!("{number}.{place}");
                    let event = json!({ "ph": phase, "cat": "span", "name": name, "id": id });
                    add(lane, at, event);
                }
            }
        }
    }
    for (id, arrow) in timeline.arrows.iter().enumerate() {
        for (phase, (lane, at)) in [("s", arrow.from), ("f", arrow.to)] {
            let name = arrow.cause;
            let event = json!({ "ph": phase, "cat": "arrow", "name": name, "id": id, "bp": "e" });
            add(&timeline.lanes[lane], at, event);
        }
    }
    for part in timeline.parts.iter().filter(|part| !part.title.is_empty()) {
        let event = json!({ "ph": "i", "name": part.title, "s": "g" });
        add(&timeline.lanes[0], part.start, event);
    }
    let about = json!({ "title": title });
    let trace = json!({ "displayTimeUnit": "ms", "otherData": about, "traceEvents": events });
    format!("{trace}\n")
}

fn item_name(item: &Item) -> String {
    let label = &item.label;
    match item.kind {
        Kind::Task | Kind::Note => label.clone(),
        Kind::Wait => format!("waits {label}"),
        Kind::Hold => format!("holds {label}"),
        Kind::Put => format!("put into {label}"),
        Kind::Got => format!("got from {label}"),
        Kind::Terminated => "terminated by its pool".to_owned(),
        Kind::Failed => format!("ended badly: {label}"),
    }
}

/// The format uses microseconds with decimals.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact for runs of up to a hundred days"
)]
fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}

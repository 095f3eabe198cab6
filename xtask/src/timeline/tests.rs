//! Recordings as processes leave them that were killed, or went on after their end was told: each can be shown.

use std::fs;

use serde_json::Value;

use super::{Timeline, picture, read, terminal, trace};

/// Threads may tell more after `process ends`, and one of them its first word.
const TOLD_LATE: &[&str] = &[
    r#"{"at":5,"name":"MainProcess","pid":7,"event":"process begins"}"#,
    r#"{"at":10,"event":"process ends"}"#,
    r#"{"at":20,"thread":8,"lane":"w","text":"1","event":"mark"}"#,
];

/// Two processes and three more threads, with everything that lanes show.
const MAIN: &[&str] = &[
    r#"{"at":100,"name":"MainProcess","pid":7,"event":"process begins"}"#,
    r#"{"at":110,"thread":7,"memory":"l","what":"lock pen","event":"made"}"#,
    r#"{"at":111,"thread":7,"memory":"q","what":"a Queue of u64","event":"made"}"#,
    r#"{"at":115,"thread":7,"text":"first:","event":"part"}"#,
    r#"{"at":120,"thread":7,"name":"w","pid":9,"daemon":false,"event":"process started"}"#,
    r#"{"at":130,"thread":8,"name":"helper","event":"thread seen"}"#,
    r#"{"at":150,"thread":8,"queue":"q","item":1,"since":125,"event":"got"}"#,
    r#"{"at":160,"thread":8,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":190,"thread":8,"lock":"l","event":"lock held"}"#,
    r#"{"at":195,"thread":7,"text":"second:","event":"part"}"#,
    r#"{"at":200,"thread":7,"pid":9,"event":"join awaited"}"#,
    r#"{"at":220,"thread":7,"name":"w","pid":9,"status":"signal: 9 (SIGKILL)","event":"process ended"}"#,
    r#"{"at":225,"thread":7,"pid":9,"event":"joined"}"#,
    r#"{"at":230,"event":"process ends"}"#,
    r#"{"at":240,"thread":8,"lock":"l","event":"lock released"}"#,
    r#"{"at":245,"thread":6,"lane":"late","text":"1","event":"mark"}"#,
    r#"{"at":250,"thread":6,"lane":"late","event":"lane ends"}"#,
    r#"{"at":255,"thread":6,"lane":"later","text":"2","event":"mark"}"#,
];
const CHILD: &[&str] = &[
    r#"{"at":125,"name":"w","pid":9,"parent":7,"event":"process begins"}"#,
    r#"{"at":128,"thread":9,"function":"work","event":"task begins"}"#,
    r#"{"at":140,"thread":9,"queue":"q","item":1,"event":"put"}"#,
    r#"{"at":145,"thread":9,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":146,"thread":9,"lock":"l","event":"lock held"}"#,
    r#"{"at":155,"thread":9,"lock":"l","event":"lock awaited"}"#,
    r#"{"at":205,"thread":10,"lane":"of w","text":"a","event":"mark"}"#,
];

/// What a recording of these processes shows.
fn shown(processes: &[&[&str]]) -> Timeline {
    let folder = tempfile::tempdir().unwrap();
    for (number, lines) in processes.iter().enumerate() {
        let text = lines.join("\n") + "\n";
        fs::write(folder.path().join(format!("{number}-5.jsonl")), text).unwrap();
    }
    read(folder.path()).unwrap()
}

/// Writes a timeline in each form, and looks whether all of a lane is where the lane is.
fn holds_together(timeline: &Timeline, recording: &[&[&str]]) {
    for lane in &timeline.lanes {
        let holds = |start, end| lane.start <= start && start <= end && end <= lane.end;
        assert!(holds(lane.start, lane.end), "{lane:?} of {recording:?}");
        for span in &lane.spans {
            assert!(holds(span.start, span.end), "{lane:?} of {recording:?}");
        }
        for mark in &lane.marks {
            assert!(holds(mark.at, mark.at), "{lane:?} of {recording:?}");
        }
    }
    for letters in [&terminal::PLAIN, &terminal::DRAWN] {
        for line in terminal::lines("it", timeline, letters, 80) {
            assert!(!line.contains('|') || line.chars().count() <= 80, "{line}");
        }
    }
    assert!(picture::svg("it", timeline).ends_with("</svg>\n"));
    let trace: Value = serde_json::from_str(&trace::json(timeline)).unwrap();
    for event in trace["traceEvents"].as_array().unwrap() {
        let length = event
            .get("dur")
            .map_or(0.0, |length| length.as_f64().unwrap());
        assert!(length >= 0.0, "{event} of {recording:?}");
    }
}

#[test]
fn a_thread_that_speaks_first_after_the_end_of_its_process_has_a_lane() {
    let one_more = r#"{"at":30,"thread":8,"lane":"w","text":"2","event":"mark"}"#;
    let longer = [TOLD_LATE, &[one_more]].concat();
    for lines in [TOLD_LATE, &longer] {
        let timeline = shown(&[lines]);
        holds_together(&timeline, &[lines]);
        let lanes = terminal::lines("it", &timeline, &terminal::PLAIN, 40);
        let is_shown = |line: &String| line.starts_with("w    |") && line.contains('1');
        assert!(lanes.iter().any(is_shown), "{lanes:?}");
        let picture = picture::svg("it", &timeline);
        assert!(picture.contains(">w</text>"), "{picture}");
        let trace = trace::json(&timeline);
        assert!(trace.contains(r#""args":{"name":"w"}"#), "{trace}");
    }
}

#[test]
fn wherever_death_cuts_a_recording_it_can_be_shown() {
    for of_main in 1..=MAIN.len() {
        for of_child in 0..=CHILD.len() {
            let recording = [&MAIN[..of_main], &CHILD[..of_child]];
            holds_together(&shown(&recording), &recording);
        }
    }
}

#[test]
fn a_line_that_was_torn_is_missed_by_no_other() {
    for torn in 1..MAIN.len() {
        let rest = [&MAIN[..torn], &MAIN[torn + 1..]].concat();
        let recording = [rest.as_slice(), CHILD];
        holds_together(&shown(&recording), &recording);
    }
}

#[test]
fn threads_may_write_their_lines_in_another_order_than_they_spoke() {
    let of_thread_8 = |line: &&&str| line.contains(r#""thread":8"#);
    for place in 1..MAIN.len() {
        // Each thread keeps its own order; one of them writes all it has at one place.
        let mut lines: Vec<&str> = MAIN.iter().filter(|it| !of_thread_8(it)).copied().collect();
        let place = place.min(lines.len());
        lines.splice(place..place, MAIN.iter().filter(of_thread_8).copied());
        let recording = [lines.as_slice(), CHILD];
        holds_together(&shown(&recording), &recording);
    }
}

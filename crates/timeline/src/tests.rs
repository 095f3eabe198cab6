//! Recordings as processes leave them that were killed, or went on after their end was recorded: each can be shown.

use std::fs;

use serde_json::Value;

use crate::model::Timeline;
use crate::{read, svg, text, trace};

/// Two processes and three more threads, with everything that lanes show. Threads may record more after `process ends`,
/// and one of them its first event.
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

/// Returns what a recording of these processes shows.
fn shown(processes: &[&[&str]]) -> anyhow::Result<Timeline> {
    let folder = tempfile::tempdir().unwrap();
    for (number, lines) in processes.iter().enumerate() {
        let text = lines.join("\n") + "\n";
        fs::write(folder.path().join(format!("{number}-5.jsonl")), text).unwrap();
    }
    read(folder.path())
}

/// Checks that all of a lane is within it, and returns the lanes, the picture, and the trace.
fn checked(recording: &[&[&str]]) -> [String; 3] {
    let timeline = shown(recording).unwrap();
    for lane in &timeline.lanes {
        let holds = |start, end| lane.start <= start && start <= end && end <= lane.end;
        let mut is_right = holds(lane.start, lane.end);
        is_right &= lane.spans.iter().all(|span| holds(span.start, span.end));
        is_right &= lane.marks.iter().all(|mark| holds(mark.at, mark.at));
        assert!(is_right, "{lane:?} of {recording:?}");
    }
    let lanes = text::lines("it", &timeline, 80, true);
    let rows = lanes.iter().filter(|line| line.contains('|'));
    assert!(
        rows.clone().all(|row| row.chars().count() == 80),
        "{lanes:?}"
    );
    let drawn = text::lines("it", &timeline, 80, false);
    assert_eq!(
        drawn.iter().filter(|line| line.contains('│')).count(),
        rows.count()
    );
    let picture = svg::svg("it", &timeline);
    assert!(picture.ends_with("</svg>\n"));
    let trace = trace::json("it", &timeline);
    assert!(serde_json::from_str::<Value>(&trace).is_ok(), "{trace}");
    [lanes.join("\n"), picture, trace]
}

#[test]
fn a_recording_can_be_shown_wherever_it_is_cut_torn_or_in_another_order() {
    for of_main in 1..=MAIN.len() {
        for of_child in 0..=CHILD.len() {
            checked(&[&MAIN[..of_main], &CHILD[..of_child]]);
        }
    }
    let of_thread_8 = |line: &&&str| line.contains(r#""thread":8"#);
    for place in 1..MAIN.len() {
        for torn in ["", r#"{"at":8,"thr{"at":9,"event":"lost"}"#] {
            let lines = [&MAIN[..place], &[torn], &MAIN[place + 1..]].concat();
            checked(&[&lines, CHILD]);
        }
        // Each thread keeps its own order; one of them writes all it has at one place.
        let mut lines: Vec<&str> = MAIN.iter().filter(|it| !of_thread_8(it)).copied().collect();
        let place = place.min(lines.len());
        lines.splice(place..place, MAIN.iter().filter(of_thread_8).copied());
        checked(&[&lines, CHILD]);
    }
}

#[test]
fn a_worker_that_its_pool_ended_looks_different_from_one_that_was_killed() {
    let terminated = r#"{"at":215,"thread":7,"pid":9,"event":"worker terminated"}"#;
    let by_pool = [&MAIN[..11], &[terminated], &MAIN[11..]].concat();
    for (lines, signs) in [
        (
            MAIN,
            ["X is killed or fails", "#dead", "ended badly: SIGKILL"],
        ),
        (
            &by_pool,
            ["] is ended by its pool", "#over", "ended by its pool"],
        ),
    ] {
        for (text, sign) in checked(&[lines, CHILD]).iter().zip(signs) {
            assert!(
                text.contains(sign) && text.contains("later"),
                "{sign}: {text}"
            );
        }
    }
    let [lanes, picture, _] = checked(&[&by_pool, CHILD]);
    assert!(
        !lanes.contains("X is") && !picture.contains("#dead"),
        "{lanes}{picture}"
    );
}

#[test]
fn what_is_not_a_recording_is_named_and_no_escape_reaches_the_terminal() {
    let error = |processes: &[&[&str]]| format!("{:#}", shown(processes).unwrap_err());
    assert!(error(&[]).contains("contains no recording"));
    assert!(error(&[&MAIN[1..]]).contains("0-5.jsonl is not a recording"));
    assert!(error(&[&[MAIN[0], r#"{"at":9}"#]]).contains("line 2"));
    let escape = MAIN[3].replace("first", "\\u001b[2J");
    let [lanes, ..] = checked(&[&[&MAIN[..3], &[&escape], &MAIN[4..]].concat()]);
    assert!(
        lanes.contains("[2J") && !lanes.contains('\u{1b}'),
        "{lanes}"
    );
}

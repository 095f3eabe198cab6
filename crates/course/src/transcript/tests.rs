use super::Transcript;
use crate::document::Code;
use std::time::Duration;
use support::readable_time;

fn transcript(info: &str, lines: &str) -> Transcript {
    understood(info, &format!("$ run it\n{lines}")).unwrap()
}

fn understood(info: &str, text: &str) -> Result<Transcript, String> {
    Transcript::of(&Code {
        info: info.to_owned(),
        text: text.to_owned(),
        line: 1,
        place: 0..0,
    })
}

/// Gives in what a run differs, or nothing.
fn told(info: &str, lines: &str, printed: &str) -> String {
    let printed: Vec<String> = printed.lines().map(str::to_owned).collect();
    let difference = transcript(info, lines).compare(&printed);
    difference.map_or(String::new(), |difference| difference.to_string())
}

#[track_caller]
fn legal(info: &str, lines: &str, printed: &str) {
    assert_eq!(told(info, lines, printed), "", "{info}: {printed}");
}

#[track_caller]
fn illegal(info: &str, lines: &str, printed: &str) {
    assert_ne!(told(info, lines, printed), "", "{info}: {printed}");
}

const ORDERED: &str = "10\nin [TIME]\nprocess [PID]\nDone";

#[test]
fn an_ordered_run_is_legal_as_it_stands() {
    legal("console", ORDERED, "10\nin 13.4 ms\nprocess 4711\nDone");
    legal("console", "", "");
    legal("console", "a\n\nb  ", "a  \n\nb");
}

#[test]
fn an_ordered_run_with_anything_else_is_illegal() {
    for printed in [
        "11\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin a while\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess none\nDone",
        "10\nin 13.4 ms\nprocess 4711",
        "10\nin 13.4 ms\nprocess 4711\nDone\nand more",
        "10\nprocess 4711\nin 13.4 ms\nDone",
        "10\n10\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess 4711\n\nDone",
        "",
    ] {
        illegal("console", ORDERED, printed);
    }
}

#[test]
fn a_difference_shows_what_is_missing_what_is_extra_and_where() {
    assert_eq!(told("console", "1\n2\n3\n4", "1\n2\n5\n4"), "  2\n- 3\n+ 5");
    assert_eq!(told("console", "1\n2", "1\n2\n3"), "  2\n+ 3");
    let printed: Vec<String> = (1..40).map(|line| line.to_string()).collect();
    let difference = transcript("console", "1\n2").compare(&printed).unwrap();
    assert!(
        difference
            .to_string()
            .ends_with("\n+ 6\n+ ... and 33 more lines")
    );
    let difference = transcript("console", "1\n2\n8").compare(&printed).unwrap();
    assert_eq!(difference.place(), 2);
}

const GARBLED: &str = "[..]\n[..]\nhello [N]\nhello 0\nhello 1";

#[test]
fn lines_of_any_order_may_come_in_any_order() {
    for printed in [
        "hello 0\nhello 1\nhello 17\nx\ny",
        "y\nx\nhello 17\nhello 1\nhello 0",
        "x\nhello 1\ny\nhello 0\nhello 17",
        // Patterns take what literal lines leave over, whoever could have taken what.
        "hello 0\nhello 1\nhello 0\nhello 1\nhello 0",
        "\n\nhello 1\nhello 0\nhello 3",
    ] {
        legal("console any-order", GARBLED, printed);
    }
}

#[test]
fn lines_of_any_order_are_all_there_and_none_twice() {
    for printed in [
        "hello 0\nhello 2\nhello 17\nx\ny",
        "hello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nhello 17\nx\ny\nz",
        "hello 0\nhello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nx\ny\nz",
        "",
    ] {
        illegal("console any-order", GARBLED, printed);
    }
    illegal("console any-order", "a\nb", "a\nb\nb");
    illegal("console any-order", "a\nb", "a\na");
}

#[test]
fn a_difference_in_any_order_names_the_certain_line() {
    assert_eq!(
        told(
            "console any-order",
            "[..]\nhello 0\nhello 1",
            "x\nhello 1\nhello 2"
        ),
        "- hello 0\n+ hello 2"
    );
}

const WORKERS: &str = "\
main: goes on
one: 0
two: 0
one: 1
two: 1
main: all have ended";

#[test]
fn workers_interleave_freely() {
    for printed in [
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended",
        "two: 0\ntwo: 1\none: 0\none: 1\nmain: goes on\nmain: all have ended",
        "two: 0\none: 0\nmain: goes on\ntwo: 1\none: 1\nmain: all have ended",
    ] {
        legal("console per-worker", WORKERS, printed);
    }
}

#[test]
fn the_lines_of_one_worker_keep_their_order() {
    for printed in [
        "main: goes on\none: 1\none: 0\ntwo: 0\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 2\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nthree: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\nmain: all have ended",
        "",
    ] {
        illegal("console per-worker", WORKERS, printed);
    }
}

#[test]
fn what_main_says_below_others_comes_after_them() {
    for printed in [
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended\ntwo: 1",
        "one: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmain: goes on",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmore",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1",
    ] {
        illegal("console per-worker", WORKERS, printed);
    }
    let twice = "one: 0\nmain: first\none: 1\ntwo: 0\nmain: second";
    legal(
        "console per-worker",
        twice,
        "one: 0\nmain: first\ntwo: 0\none: 1\nmain: second",
    );
    illegal(
        "console per-worker",
        twice,
        "one: 0\none: 1\nmain: first\ntwo: 0\nmain: second",
    );
    illegal(
        "console per-worker",
        twice,
        "main: first\none: 0\ntwo: 0\none: 1\nmain: second",
    );
}

#[test]
fn what_main_says_divides_lines_of_any_order_too() {
    let lines = "a\nb\nmain counts 2\nc";
    legal("console any-order", lines, "b\na\nmain counts 2\nc");
    illegal("console any-order", lines, "b\nmain counts 2\na\nc");
    illegal("console any-order", lines, "b\na\nc\nmain counts 2");
    let lines = "main: goes on\na\nmain: ends";
    legal("console any-order", lines, "a\nmain: goes on\nmain: ends");
    illegal("console any-order", lines, "a\nmain: ends\nmain: goes on");
}

#[test]
fn a_heading_divides_what_stands_above_and_below_it() {
    let lines = "without:\n[..]\n[..]\nwith:\na\nb";
    for printed in ["without:\nx\ny\nwith:\nb\na", "without:\na\n\nwith:\na\nb"] {
        legal("console any-order", lines, printed);
    }
    for printed in [
        "x\nwithout:\ny\nwith:\na\nb",
        "without:\nx\nwith:\ny\na\nb",
        "without:\nx\ny\na\nwith:\nb",
        "with:\na\nb\nwithout:\nx\ny",
        "without:\nx\ny\na\nb",
        "x\ny\nwith:\na\nb",
    ] {
        illegal("console any-order", lines, printed);
    }
    let lines = "first:\none: 0\none: 1\nthen:\ntwo: 0\none: 2";
    legal(
        "console per-worker",
        lines,
        "first:\none: 0\none: 1\nthen:\none: 2\ntwo: 0",
    );
    illegal(
        "console per-worker",
        lines,
        "first:\none: 0\nthen:\none: 1\ntwo: 0\none: 2",
    );
}

#[test]
fn a_worker_whose_name_differs_is_one_worker() {
    let lines = "Process-[N] starts\nservice starts\nProcess-[N] ends";
    legal(
        "console per-worker",
        lines,
        "Process-3 starts\nProcess-3 ends\nservice starts",
    );
    illegal(
        "console per-worker",
        lines,
        "Process-3 starts\nProcess-4 ends\nservice starts",
    );
    illegal(
        "console per-worker",
        lines,
        "Process-3 ends\nProcess-3 starts\nservice starts",
    );
    // Either could be the one with the pattern; only one way round fits both.
    let lines = "w-[N] [..]\nw-[N] ends\nw-2 starts\nw-2 ends";
    legal(
        "console per-worker",
        lines,
        "w-2 starts\nw-2 ends\nw-7 sings\nw-7 ends",
    );
}

#[test]
fn a_difference_between_workers_is_told_with_the_worker() {
    assert_eq!(
        told(
            "console per-worker",
            WORKERS,
            "main: goes on\ntwo: 0\ntwo: 1\none: 0\none: 2\nmain: all have ended"
        ),
        "  one: 0\n- one: 1\n+ one: 2"
    );
    assert_eq!(
        told("console per-worker", "one: 0\nmain: end", "one: 0"),
        "- main: end"
    );
}

#[test]
fn a_block_that_cannot_be_meant_is_refused() {
    let refused = |info, text| understood(info, text).unwrap_err();
    assert_eq!(
        refused("console any-oder", "$ run\n"),
        "`any-oder` is no order of a transcript; did you mean `any-order`?"
    );
    assert!(refused("console", "run\n").contains("does not begin with `$ `"));
    assert!(refused("console", "").contains("does not begin with `$ `"));
    assert!(refused("console", "$ a\n1\n$ b\n").contains("a second command, `$ b`"));
}

#[test]
fn a_pattern_allows_what_it_stands_for_and_nothing_else() {
    for (pattern, allowed, refused) in [
        ("a[..]e", "ae|a, then e, then e", "a, then e, then f"),
        ("[..] and [..]", "x and y and z", "x or y"),
        (
            "[N] of 20",
            "0 of 20|17 of 20|-3 of 20|1.93 of 20",
            " of 20|x of 20|1x of 20|1. of 20|1 7 of 20|17 of 21",
        ),
        ("pid [PID]", "pid 4711", "pid 0|pid -4|pid 4.5|pid 07|pid "),
        (
            "in [TIME]",
            "in 2 s",
            "in 2.05|in 2.05 h|in s|in 2,05 s|in -2 s|in 2.05s|in 2.05 s.",
        ),
    ] {
        for printed in allowed.split('|') {
            legal("console", pattern, printed);
        }
        for printed in refused.split('|') {
            illegal("console", pattern, printed);
        }
    }
    for nanoseconds in [
        0,
        17,
        999,
        1_000,
        13_420,
        999_950,
        2_054_000_000,
        700_000_000_000,
    ] {
        let time = readable_time(Duration::from_nanos(nanoseconds));
        legal("console", "in [TIME]", &format!("in {time}"));
    }
}

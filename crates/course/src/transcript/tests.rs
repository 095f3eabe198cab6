use super::Transcript;
use crate::document::Document;
use std::time::Duration;
use support::readable_time;

fn understood(info: &str, text: &str) -> Result<Transcript, String> {
    let block = Document::parse(&format!("```{info}\n{}\n```\n", text.trim_end()));
    Transcript::of(block.code().next().unwrap())
}

/// Returns in what a run differs, or nothing.
fn told(info: &str, lines: &str, printed: &str) -> String {
    let printed: Vec<String> = printed.lines().map(str::to_owned).collect();
    let transcript = understood(info, &format!("$ run it\n{lines}")).unwrap();
    let compared = transcript.compare(&printed);
    compared.map_or_else(|difference| difference.to_string(), |()| String::new())
}

#[track_caller]
fn allows(info: &str, lines: &str, legal: &[&str], illegal: &[&str]) {
    for printed in legal {
        assert_eq!(told(info, lines, printed), "", "{info}: {printed}");
    }
    for printed in illegal {
        assert_ne!(told(info, lines, printed), "", "{info}: {printed}");
    }
}

#[test]
fn an_ordered_run_is_legal_as_it_stands_and_otherwise_illegal() {
    let lines = "10\nin [TIME]\nprocess [PID]\nDone";
    let illegal = [
        "11\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin a while\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess none\nDone",
        "10\nin 13.4 ms\nprocess 4711",
        "10\nin 13.4 ms\nprocess 4711\nDone\nand more",
        "10\nprocess 4711\nin 13.4 ms\nDone",
        "10\n10\nin 13.4 ms\nprocess 4711\nDone",
        "10\nin 13.4 ms\nprocess 4711\n\nDone",
        "",
    ];
    let legal = "10\nin 13.4 ms\nprocess 4711\nDone";
    allows("console", lines, &[legal], &illegal);
    allows("console", "", &[""], &["a"]);
    allows("console", "a\n\nb  ", &["a  \n\nb"], &[]);
}

#[test]
fn lines_of_any_order_may_come_in_any_order_but_all_and_none_twice() {
    let legal = [
        "hello 0\nhello 1\nhello 17\nx\ny",
        "y\nx\nhello 17\nhello 1\nhello 0",
        "x\nhello 1\ny\nhello 0\nhello 17",
        // Patterns take what literal lines leave over, whoever could have taken what.
        "hello 0\nhello 1\nhello 0\nhello 1\nhello 0",
        "\n\nhello 1\nhello 0\nhello 3",
    ];
    let illegal = [
        "hello 0\nhello 2\nhello 17\nx\ny",
        "hello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nhello 17\nx\ny\nz",
        "hello 0\nhello 0\nhello 17\nx\ny",
        "hello 0\nhello 1\nx\ny\nz",
        "",
    ];
    let garbled = "[..]\n[..]\nhello [N]\nhello 0\nhello 1";
    allows("console any-order", garbled, &legal, &illegal);
    allows("console any-order", "a\nb", &[], &["a\nb\nb", "a\na"]);
}

const WORKERS: &str = "\
main: goes on
one: 0
two: 0
one: 1
two: 1
main: all have ended";

#[test]
fn workers_interleave_freely_and_the_lines_of_each_keep_their_order() {
    let legal = [
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended",
        "two: 0\ntwo: 1\none: 0\none: 1\nmain: goes on\nmain: all have ended",
        "two: 0\none: 0\nmain: goes on\ntwo: 1\none: 1\nmain: all have ended",
    ];
    let illegal = [
        "main: goes on\none: 1\none: 0\ntwo: 0\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 2\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\ntwo: 1\nmain: all have ended",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nthree: 0\nmain: all have ended",
        "main: goes on\none: 0\none: 1\nmain: all have ended",
        "",
    ];
    allows("console per-worker", WORKERS, &legal, &illegal);
}

#[test]
fn what_main_says_below_others_comes_after_them() {
    let illegal = [
        "main: goes on\none: 0\none: 1\ntwo: 0\nmain: all have ended\ntwo: 1",
        "one: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmain: goes on",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1\nmain: all have ended\nmore",
        "main: goes on\none: 0\none: 1\ntwo: 0\ntwo: 1",
    ];
    allows("console per-worker", WORKERS, &[], &illegal);
    let twice = "one: 0\nmain: first\none: 1\ntwo: 0\nmain: second";
    let legal = "one: 0\nmain: first\ntwo: 0\none: 1\nmain: second";
    let illegal = [
        "one: 0\none: 1\nmain: first\ntwo: 0\nmain: second",
        "main: first\none: 0\ntwo: 0\none: 1\nmain: second",
    ];
    allows("console per-worker", twice, &[legal], &illegal);
    // So it does in lines of any order.
    let illegal = ["b\nmain counts 2\na\nc", "b\na\nc\nmain counts 2"];
    let lines = "a\nb\nmain counts 2\nc";
    allows(
        "console any-order",
        lines,
        &["b\na\nmain counts 2\nc"],
        &illegal,
    );
    let (legal, illegal) = (
        "a\nmain: goes on\nmain: ends",
        "a\nmain: ends\nmain: goes on",
    );
    allows(
        "console any-order",
        "main: goes on\na\nmain: ends",
        &[legal],
        &[illegal],
    );
}

#[test]
fn a_heading_divides_what_stands_above_and_below_it() {
    let legal = ["without:\nx\ny\nwith:\nb\na", "without:\na\n\nwith:\na\nb"];
    let illegal = [
        "x\nwithout:\ny\nwith:\na\nb",
        "without:\nx\nwith:\ny\na\nb",
        "without:\nx\ny\na\nwith:\nb",
        "with:\na\nb\nwithout:\nx\ny",
        "without:\nx\ny\na\nb",
        "x\ny\nwith:\na\nb",
    ];
    let lines = "without:\n[..]\n[..]\nwith:\na\nb";
    allows("console any-order", lines, &legal, &illegal);
    let lines = "first:\none: 0\none: 1\nthen:\ntwo: 0\none: 2";
    let legal = "first:\none: 0\none: 1\nthen:\none: 2\ntwo: 0";
    let illegal = "first:\none: 0\nthen:\none: 1\ntwo: 0\none: 2";
    allows("console per-worker", lines, &[legal], &[illegal]);
}

#[test]
fn a_worker_whose_name_differs_is_one_worker() {
    let lines = "Process-[N] starts\nservice starts\nProcess-[N] ends";
    let legal = "Process-3 starts\nProcess-3 ends\nservice starts";
    let illegal = [
        "Process-3 starts\nProcess-4 ends\nservice starts",
        "Process-3 ends\nProcess-3 starts\nservice starts",
    ];
    allows("console per-worker", lines, &[legal], &illegal);
    // Either could be the one with the pattern; only one way round fits both.
    let lines = "w-[N] [..]\nw-[N] ends\nw-2 starts\nw-2 ends";
    let legal = "w-2 starts\nw-2 ends\nw-7 sings\nw-7 ends";
    allows("console per-worker", lines, &[legal], &[]);
}

#[test]
fn a_difference_shows_what_is_missing_what_is_extra_and_where() {
    let many: Vec<String> = (1..40).map(|line| line.to_string()).collect();
    let extra = "  2\n+ 3\n+ 4\n+ 5\n+ 6\n+ 7\n+ 8\n+ 9\n+ 10\n+ ... and 29 more lines";
    let workers = "main: goes on\ntwo: 0\ntwo: 1\none: 0\none: 2\nmain: all have ended";
    for (info, lines, printed, expected) in [
        ("console", "1\n2\n3\n4", "1\n2\n5\n4", "  2\n- 3\n+ 5"),
        ("console", "1\n2", &many.join("\n"), extra),
        (
            "console any-order",
            "[..]\nhello 0\nhello 1",
            "x\nhello 1\nhello 2",
            "- hello 0\n+ hello 2",
        ),
        (
            "console per-worker",
            WORKERS,
            workers,
            "  one: 0\n- one: 1\n+ one: 2",
        ),
        (
            "console per-worker",
            "one: 0\nmain: end",
            "one: 0",
            "- main: end",
        ),
        (
            "console per-worker",
            "w-[N]: 0\nw-[N]: 1",
            "w-3: 0\nx: 1",
            "  w-3: 0\n- w-[N]: 1\n+ x: 1",
        ),
    ] {
        assert_eq!(told(info, lines, printed), expected);
    }
    let transcript = understood("console", "$ run\n1\n2\n8").unwrap();
    let difference = transcript.compare(&["1".to_owned(), "2".to_owned()]);
    assert_eq!(difference.unwrap_err().place, 2);
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
        let split = |runs: &'static str| runs.split('|').collect::<Vec<_>>();
        allows("console", pattern, &split(allowed), &split(refused));
    }
    for nanoseconds in [0, 999, 13_420, 999_950, 2_054_000_000, 700_000_000_000] {
        let time = readable_time(Duration::from_nanos(nanoseconds));
        allows("console", "in [TIME]", &[&format!("in {time}")], &[]);
    }
}

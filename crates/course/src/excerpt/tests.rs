use super::{Excerpt, FIX, excerpt};
use crate::document::Document;
use crate::source::Source;

const RUST: &str = "\
use std::thread;

/// Doubles a number.
#[must_use]
fn double(number: i32) -> i32 {
    let two = 2;

    number * two
}

static COUNT: u32 = 3;
const WORD: &str = \"word\";

struct Ticker {
    name: String,
}

impl Ticker {
    fn tick(&self) {}
}

impl Drop for Ticker {
    fn drop(&mut self) {}
}
";

const EXAMPLES: &str = "\
/*!
```
fn double(number: u8) -> u8 {
    number + number
}
```

```compile_fail
# fn main() {
// does not compile: moved
let again = child.join();
# }
```

```compile_fail
// does not compile: mismatched types
let child = spawn(\"five\");
```
*/
";

const PYTHON: &str = "\
jobs = queue.Queue()


def double(number):
    return 2 * number


class Ticker:
    def tick(self):
        pass
";

fn of(info: &str, text: &str) -> Excerpt {
    let sources = [
        ("main.rs", RUST),
        ("refused.rs", EXAMPLES),
        ("pool.py", PYTHON),
    ];
    let sources = sources.map(|(path, text)| Source {
        path: path.into(),
        text: text.to_owned(),
    });
    let block = Document::parse(&format!("```{info}\n{text}```\n"));
    excerpt(block.code().next().unwrap(), &sources).unwrap()
}

/// Checks that a block is updated as expected, and is correct after that.
#[track_caller]
fn becomes(info: &str, old: &str, new: &str) {
    for (block, is_in_order) in [(old, old == new), (new, true)] {
        let excerpt = of(info, block);
        assert_eq!(excerpt.text, new);
        assert_eq!(
            excerpt.faults.is_empty(),
            is_in_order,
            "{:?}",
            excerpt.faults
        );
    }
}

#[test]
fn a_correct_block_does_not_change() {
    let ticker = "struct Ticker {\n    name: String,\n}\n";
    becomes("rust", ticker, ticker);
    let all = format!("const WORD: &str = \"word\";\n\n\n{ticker}\nuse std::thread;\n");
    becomes("rust", &all, &all);
    becomes("rust", "", "");
}

#[test]
fn each_kind_of_item_is_identified_by_its_name() {
    for (old, new) in [
        ("pub static COUNT: u8 = 2;", "static COUNT: u32 = 3;"),
        ("const WORD: u32 =\n    3;", "const WORD: &str = \"word\";"),
        (
            "pub struct Ticker(u32);",
            "struct Ticker {\n    name: String,\n}",
        ),
        ("impl Ticker {}", "impl Ticker {\n    fn tick(&self) {}\n}"),
        (
            "impl Drop for Ticker {\n}",
            "impl Drop for Ticker {\n    fn drop(&mut self) {}\n}",
        ),
    ] {
        becomes("rust", &format!("{old}\n"), &format!("{new}\n"));
    }
    let old = "jobs = 3\n\n\ndef double():\n    pass\n\n\nclass Ticker(Thread):\n    x = 1\n";
    becomes("python", old, PYTHON);
}

#[test]
fn a_comment_above_an_item_is_updated_only_if_it_is_shown() {
    let body = "fn double(number: i32) -> i32 {\n    let two = 2;\n\n    number * two\n}\n";
    becomes("rust", body, body);
    for (old, above) in [
        ("#[must_use]", "#[must_use]"),
        ("/// An old comment.", "/// Doubles a number.\n#[must_use]"),
    ] {
        let old = format!("{old}\nfn double() {{}}\n");
        becomes("rust", &old, &format!("{above}\n{body}"));
    }
}

#[test]
fn of_two_items_with_one_name_the_more_similar_one_is_used() {
    becomes(
        "rust",
        "fn double(number: i8) -> i8 {\n    number + number\n}\n",
        "fn double(number: u8) -> u8 {\n    number + number\n}\n",
    );
}

#[test]
fn a_compile_fail_example_is_identified_by_its_first_line() {
    becomes(
        "rust,compile_fail",
        "// does not compile: mismatched types\nlet child = spawn(\"four\");\n",
        "// does not compile: mismatched types\nlet child = spawn(\"five\");\n",
    );
    let moved = "// does not compile: moved\nlet again = child.join();\n";
    becomes("rust,compile_fail", moved, moved);
    let shown = "// does not compile: move\nlet again = child.join();\n";
    let excerpt = of("rust,compile_fail", shown);
    assert_eq!(excerpt.text, shown);
    assert_ne!(excerpt.faults[0].help, FIX);
    assert_eq!(
        excerpt.faults[0].what,
        "no `compile_fail` example begins with `// does not compile: move`; \
         did you mean `// does not compile: moved`?"
    );
}

#[test]
fn a_fault_says_what_differs_or_is_missing_and_the_rest_is_updated() {
    let shown = "fn doubled() {\n    3\n}\n\nstatic COUNT: u8 = 3;\n";
    let excerpt = of("rust", shown);
    assert_eq!(excerpt.text, shown.replace("u8", "u32"));
    let faults = excerpt.faults.iter();
    let faults: Vec<_> = faults
        .map(|it| (it.line, &*it.what, it.help == FIX))
        .collect();
    let gone = "`fn doubled` does not appear anywhere in the lesson; did you mean `fn double`?";
    let differs = "static COUNT differs from main.rs:11:\n    - static COUNT: u8 = 3;\n    \
                   + static COUNT: u32 = 3;";
    assert_eq!(faults, [(1, gone, false), (5, differs, true)]);
}

#[test]
fn an_incomplete_item_and_an_invented_comment_are_faults() {
    for (block, fault) in [
        (
            "fn double(number: i32) -> i32 {\n    let two = 2;\n",
            "(an empty line)",
        ),
        ("    number * two\n}\n", "does not appear"),
        ("// Invented.\n\nuse std::thread;\n", "does not appear"),
    ] {
        let faults = of("rust", block).faults;
        assert!(faults[0].what.contains(fault), "{faults:?}");
    }
}

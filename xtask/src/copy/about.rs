/// The heading of the section of a lesson that says how to copy it. In the copy another takes its
/// place.
const TAKE_ALONG: &str = "## Take this lesson with you";

/// Gives the README of a copy: after the title it says what this is, and instead of how to copy the
/// lesson how to use the copy.
pub(super) fn put_into(script: &str, lesson: &str, first_step: &str) -> String {
    let (before, after) = without_section(script);
    let about = ABOUT.replace("LESSON", lesson).replace("STEP", first_step);
    let opening = OPENING.replace("LESSON", lesson);
    let (title, before) = before.split_once('\n').unwrap_or((before, ""));
    let parts = [title, &opening, before, &about, after];
    let parts = parts.map(str::trim).into_iter();
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

/// Gives what stands before the section about copying, and what after.
fn without_section(script: &str) -> (&str, &str) {
    let mut section: Option<usize> = None;
    let mut in_code = false;
    let mut at = 0;
    for line in script.split_inclusive('\n') {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if section.is_none() && line.trim_end() == TAKE_ALONG {
            section = Some(at);
        } else if let Some(start) = section
            && line.starts_with("## ")
            && !in_code
        {
            return (&script[..start], &script[at..]);
        }
        at += line.len();
    }
    (&script[..section.unwrap_or(at)], "")
}

const OPENING: &str = "\
This is a project of its own, copied from a course. `cargo run -q` runs it; what else there is to
know about it stands [at the end](#about-this-project).";

const ABOUT: &str = "\
## About this project

This is lesson `LESSON` of an executable course on threads and processes in Rust. It was copied by
`cargo xtask copy`, needs nothing of the course any more, and is yours to change.

| command | does |
|---|---|
| `cargo run -q` | runs every step |
| `cargo run -q -- STEP` | runs one step |
| `cargo run -q -- --list` | names the steps |
| `cargo test` | runs every step and checks that it succeeds, and checks the examples |
| `python3 LESSON.py` | runs the same steps in Python |

- **What is here.** `src/main.rs` is the lesson. `crates` has what it uses from the course, without
  the tests. `tests/steps.rs` is the test of the steps; it runs whatever `--list` names, so a step of
  yours is tested too.
- **Without a network.** `Cargo.lock` fixes the versions of all packages. Where the course was built
  they are downloaded already; elsewhere run `cargo fetch` once. After that
  `cargo build --locked --offline` works.
- **Another name.** Change `name` under `[package]` in `Cargo.toml`, and nothing else; the next
  `cargo build` writes the name into `Cargo.lock`. The program is still called `LESSON`, by the
  `name` under `[[bin]]`.
- **Another place.** Move the folder wherever you like, into another project too. The empty table
  `[workspace]` in `Cargo.toml` keeps it apart from a workspace around it. If that workspace finds its
  members by a pattern, such as `members = [\"crates/*\"]`, and this folder is among them, add
  `exclude = [\"path/of/this/folder\"]` there.
- **As a member of your workspace.** Delete `[workspace]` and the tables `[profile...]` at the end of
  `Cargo.toml`, and add the folder to `members` of yours.
- **Licence.** MIT or Apache 2.0, as you prefer: `LICENSE-MIT`, `LICENSE-APACHE`.
";

#[cfg(test)]
mod tests {
    use super::{put_into, without_section};

    #[test]
    fn the_section_about_copying_is_found_with_the_code_in_it() {
        let script = "# Pool\n\nText.\n\n## Take this lesson with you\n\n```toml\n## no heading\n```\n\
                      \n## More\n\nEnd.\n";
        assert_eq!(
            without_section(script),
            ("# Pool\n\nText.\n\n", "## More\n\nEnd.\n")
        );
        assert_eq!(
            without_section("# Pool\n\nText.\n"),
            ("# Pool\n\nText.\n", "")
        );
    }

    #[test]
    fn the_copy_says_what_it_is() {
        let script = "# Pool: workers\n\nText.\n\n## Take this lesson with you\n\nHow.\n";
        let readme = put_into(script, "pool", "map");
        assert!(readme.starts_with("# Pool: workers\n\nThis is a project of its own"));
        assert!(
            readme.contains("[at the end](#about-this-project)"),
            "{readme}"
        );
        assert!(
            readme.contains("\n\nText.\n\n## About this project\n\n"),
            "{readme}"
        );
        assert!(readme.contains("| `cargo run -q -- map` |"), "{readme}");
        assert!(readme.contains("`python3 pool.py`"), "{readme}");
        assert!(!readme.contains("How."), "{readme}");
    }
}

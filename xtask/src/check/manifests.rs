use std::path::{Path, PathBuf};

use super::Problem;
use super::checkout::Checkout;
use crate::manifest::{Manifest, Table, Value};

/// The tables of a manifest that can take values from the workspace.
const SECTIONS: [&str; 5] = [
    "package",
    "dependencies",
    "dev-dependencies",
    "build-dependencies",
    "lints",
];

/// The root's manifest lists every lesson: a glob would let one stray folder stop every command.
pub(super) fn members_are_listed(checkout: &Checkout) -> Vec<Problem> {
    let path = Path::new("Cargo.toml");
    let manifest = match Manifest::read(&checkout.root.join(path)) {
        Ok(manifest) => manifest,
        Err(error) => return vec![unreadable(path, &error)],
    };
    let key = ["workspace", "members"];
    let members = members(&manifest);
    let lessons = checkout.lessons.iter();
    lessons
        .map(|lesson| lesson.folder.display().to_string().replace('\\', "/"))
        .filter(|folder| !members.contains(folder))
        .map(|folder| {
            Problem::new(
                path,
                manifest.line(&key),
                format!("{folder} is not a member of the workspace"),
                format!("add \"{folder}\" to `members`"),
            )
        })
        .collect()
}

/// Every member decides about `unsafe`; the crates and xtask, which are not lessons, have the
/// stricter lints too.
pub(super) fn lints_are_set(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, manifest) in member_manifests(checkout) {
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) => {
                problems.push(unreadable(&path, &error));
                continue;
            }
        };
        let key = ["lints", "rust", "unsafe_code"];
        if !matches!(manifest.text(&key), Some("forbid" | "deny")) {
            problems.push(Problem::new(
                &path,
                manifest.line(&key),
                "the lint `unsafe_code` is not set",
                "write `unsafe_code = \"forbid\"` into the table [lints.rust]",
            ));
        }
        let key = ["lints", "clippy", "pedantic"];
        if !path.starts_with("lessons") && !manifest.get(&key).is_some_and(is_heeded) {
            problems.push(Problem::new(
                &path,
                manifest.line(&key),
                "the lint group `pedantic` is not set",
                "write `pedantic = { level = \"warn\", priority = -1 }` into [lints.clippy]",
            ));
        }
    }
    problems
}

/// A lesson's manifest inherits nothing from the workspace and names its binary: otherwise a copy of
/// the lesson does not build, or not after its package is renamed.
pub(super) fn lessons_stand_alone(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for lesson in &checkout.lessons {
        let path = lesson.folder.join("Cargo.toml");
        let manifest = match Manifest::read(&checkout.root.join(&path)) {
            Ok(manifest) => manifest,
            Err(error) => {
                problems.push(unreadable(&path, &error));
                continue;
            }
        };
        if !lesson.folder.ends_with(&lesson.name) {
            problems.push(Problem::new(
                &path,
                manifest.line(&["package", "name"]),
                format!("the package is called {}, its folder is not", lesson.name),
                "give both the same name",
            ));
        }
        let bin = manifest
            .get(&["bin"])
            .and_then(|bin| bin.list().first()?.table());
        if bin.and_then(|bin| bin.get("name")?.text()) != Some(lesson.name.as_str()) {
            problems.push(Problem::new(
                &path,
                manifest.line(&["bin"]),
                "the lesson's program is not named",
                format!("add [[bin]] with name = \"{}\" and its path", lesson.name),
            ));
        }
        for line in inheriting_lines(&manifest) {
            problems.push(Problem::new(
                &path,
                line,
                "this is inherited from the workspace, which a copied lesson has not",
                "write the value itself",
            ));
        }
    }
    problems
}

fn unreadable(path: &Path, error: &anyhow::Error) -> Problem {
    Problem::new(
        path,
        1,
        format!("{:#}", error.root_cause()),
        "correct the file",
    )
}

/// Tells whether a lint is set to a level at which it is told.
fn is_heeded(lint: &Value) -> bool {
    let level = lint.table().map_or(Some(lint), |table| table.get("level"));
    let level = level.and_then(Value::text);
    matches!(level, Some("warn" | "deny" | "forbid"))
}

fn members(manifest: &Manifest) -> Vec<String> {
    let members = manifest.get(&["workspace", "members"]);
    let members = members.map_or(&[][..], |members| members.list());
    let texts = members.iter().filter_map(|member| member.text());
    texts.map(str::to_owned).collect()
}

fn member_manifests(checkout: &Checkout) -> Vec<(PathBuf, anyhow::Result<Manifest>)> {
    let root = Manifest::read(&checkout.root.join("Cargo.toml"));
    let members = root.map(|root| members(&root)).unwrap_or_default();
    let read = |member: String| {
        let path = Path::new(&member).join("Cargo.toml");
        let manifest = Manifest::read(&checkout.root.join(&path));
        (path, manifest)
    };
    members.into_iter().map(read).collect()
}

/// Gives the lines on which a value is taken from the workspace, for all systems or for some.
fn inheriting_lines(manifest: &Manifest) -> Vec<usize> {
    let inherits = |table: &Table| table.get("workspace").is_some_and(Value::is_true);
    let targets = manifest.get(&["target"]).and_then(Value::table);
    let targets = targets.into_iter().flat_map(Table::values);
    let targets = targets.filter_map(Value::table);
    let owners = [manifest.top()].into_iter().chain(targets);
    let mut lines = Vec::new();
    for section in owners.flat_map(|owner| SECTIONS.map(|section| owner.get(section))) {
        let Some((section, table)) = section.and_then(|it| Some((it, it.table()?))) else {
            continue;
        };
        if inherits(table) {
            lines.push(section.line());
        }
        let inheriting = table
            .values()
            .filter(|value| value.table().is_some_and(inherits));
        lines.extend(inheriting.map(Value::line));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{lessons_stand_alone, lints_are_set, members_are_listed};
    use crate::check::fixture::{Fixture, problems};

    const LESSON: &str = "lessons/pool/Cargo.toml";

    #[test]
    fn manifests_in_order_have_no_problem() {
        let fixture = Fixture::new();
        let checkout = fixture.checkout();
        for rule in [members_are_listed, lints_are_set, lessons_stand_alone] {
            assert_eq!(problems(rule, &checkout), [""; 0]);
        }
    }

    #[test]
    fn a_lesson_that_the_workspace_does_not_name_is_refused() {
        let fixture = Fixture::new();
        fixture.replace("Cargo.toml", "\"lessons/pool\"", "\"lessons/pond\"");
        let found = problems(members_are_listed, &fixture.checkout());
        assert!(
            found[0].starts_with("Cargo.toml:2: lessons/pool is not a member"),
            "{found:?}"
        );
    }

    #[test]
    fn a_member_without_lints_is_refused() {
        let fixture = Fixture::new();
        fixture.replace(LESSON, "unsafe_code = \"forbid\"", "");
        fixture.replace("xtask/Cargo.toml", "pedantic = \"warn\"", "");
        let found = problems(lints_are_set, &fixture.checkout());
        assert!(found[0].contains("`unsafe_code` is not set"), "{found:?}");
        assert!(found[1].contains("`pedantic` is not set"), "{found:?}");
    }

    #[test]
    fn a_lesson_that_inherits_is_refused_with_the_line() {
        let fixture = Fixture::new();
        fixture.append(LESSON, "\n[dependencies]\nanyhow.workspace = true\n");
        let lines = fixture.read(LESSON).lines().count();
        let found = problems(lessons_stand_alone, &fixture.checkout());
        let expected = format!("{LESSON}:{lines}: this is inherited");
        assert!(found[0].starts_with(&expected), "{found:?}");
    }

    #[test]
    fn a_lesson_that_inherits_for_one_system_is_refused_too() {
        for text in [
            "\n[target.'cfg(unix)'.dependencies]\nanyhow.workspace = true\n",
            "\n[target.'cfg(unix)'.dev-dependencies.anyhow]\nworkspace = true\n",
        ] {
            let fixture = Fixture::new();
            fixture.append(LESSON, text);
            let found = problems(lessons_stand_alone, &fixture.checkout());
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("this is inherited"), "{found:?}");
        }
    }

    #[test]
    fn a_lint_group_that_is_allowed_is_refused() {
        for level in ["\"allow\"", "{ level = \"allow\", priority = -1 }", "{}"] {
            let fixture = Fixture::new();
            fixture.replace("xtask/Cargo.toml", "\"warn\"", level);
            let found = problems(lints_are_set, &fixture.checkout());
            assert_eq!(found.len(), 1, "{level}: {found:?}");
            assert!(found[0].starts_with("xtask/Cargo.toml:8: "), "{found:?}");
            assert!(found[0].contains("`pedantic` is not set"), "{found:?}");
        }
        for level in ["\"deny\"", "{ level = \"warn\", priority = -1 }"] {
            let fixture = Fixture::new();
            fixture.replace("xtask/Cargo.toml", "\"warn\"", level);
            assert_eq!(problems(lints_are_set, &fixture.checkout()), [""; 0]);
        }
    }

    #[test]
    fn a_lesson_whose_program_has_no_name_is_refused() {
        let fixture = Fixture::new();
        fixture.replace(LESSON, "[[bin]]\nname = \"pool\"", "[[bin]]");
        let found = problems(lessons_stand_alone, &fixture.checkout());
        assert!(
            found[0].contains("the lesson's program is not named"),
            "{found:?}"
        );
    }
}

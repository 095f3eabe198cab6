use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text of a `Cargo.toml`, of which parts are changed; all else, comments too, stays as it is.
#[derive(Clone, Debug)]
pub(super) struct ManifestText {
    text: String,
}

/// A dependency that is a folder, and where its path stands in the text.
#[derive(Debug)]
pub(super) struct PathDependency {
    pub(super) path: PathBuf,
    place: Range<usize>,
}

const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

impl ManifestText {
    pub(super) fn new(text: String) -> anyhow::Result<Self> {
        parsed(&text)?;
        Ok(Self { text })
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Adds text at the end, after an empty line.
    pub(super) fn append(&mut self, text: &str) {
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str("\n\n");
        self.text.push_str(text.trim());
        self.text.push('\n');
    }

    /// Gives the package another name.
    pub(super) fn rename(&mut self, name: &str) -> anyhow::Result<()> {
        let place = {
            let top = parsed(&self.text)?;
            let package = top
                .get_ref()
                .get("package")
                .and_then(|value| table(value.get_ref()));
            let old = package.and_then(|package| package.get("name"));
            old.context("a package has no name")?.span()
        };
        self.text.replace_range(place, &quoted(name));
        Ok(())
    }

    /// Gives the dependencies that are folders.
    pub(super) fn path_dependencies(&self) -> anyhow::Result<Vec<PathDependency>> {
        let top = parsed(&self.text)?;
        let mut found = Vec::new();
        add_path_dependencies(top.get_ref(), &mut found);
        let targets = top.get_ref().get("target").map(Spanned::get_ref);
        for target in targets
            .and_then(table)
            .into_iter()
            .flat_map(DeTable::values)
        {
            if let Some(target) = table(target.get_ref()) {
                add_path_dependencies(target, &mut found);
            }
        }
        Ok(found)
    }

    /// Gives each dependency that is a folder the path that `new` finds for it.
    pub(super) fn move_path_dependencies(
        &mut self,
        new: impl Fn(&PathDependency) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let mut dependencies = self.path_dependencies()?;
        // From the end, so that the places before stay right.
        dependencies.sort_by_key(|dependency| dependency.place.start);
        for dependency in dependencies.iter().rev() {
            let path = quoted(&new(dependency)?);
            self.text.replace_range(dependency.place.clone(), &path);
        }
        Ok(())
    }

    /// Takes away the tables of these names, such as `dev-dependencies` and `package.metadata`, with what
    /// is below them and the comments directly above.
    pub(super) fn remove_tables(&mut self, names: &[&str]) -> anyhow::Result<()> {
        let tables = self.tables()?;
        for table in tables.iter().rev().filter(|table| table.is_any(names)) {
            self.text.replace_range(table.place.clone(), "");
        }
        Ok(())
    }

    /// Gives the text of the tables of these names, without what is below them.
    pub(super) fn text_of_tables(&self, names: &[&str]) -> anyhow::Result<String> {
        let tables = self.tables()?.into_iter();
        let wanted = tables.filter(|table| names.contains(&table.name.as_str()));
        Ok(wanted.map(|table| &self.text[table.place]).collect())
    }

    /// Gives every table that has a heading of its own, in order.
    fn tables(&self) -> anyhow::Result<Vec<TableText>> {
        let top = parsed(&self.text)?;
        let mut headings = Vec::new();
        add_headings(&self.text, top.get_ref(), "", &mut headings);
        headings.sort_by_key(|(start, _)| *start);
        let starts: Vec<usize> = headings
            .iter()
            .map(|(start, _)| with_comments_above(&self.text, *start))
            .collect();
        let ends = starts.iter().skip(1).copied().chain([self.text.len()]);
        let places = starts.iter().copied().zip(ends);
        let tables = headings.into_iter().zip(places);
        Ok(tables
            .map(|((_, name), (start, end))| TableText {
                name,
                place: start..end,
            })
            .collect())
    }
}

struct TableText {
    name: String,
    place: Range<usize>,
}

impl TableText {
    fn is_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            let rest = self.name.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

fn parsed(text: &str) -> anyhow::Result<Spanned<DeTable<'_>>> {
    DeTable::parse(text).map_err(|error| anyhow!("it is no TOML: {}", error.message()))
}

fn table<'a, 'i>(value: &'a DeValue<'i>) -> Option<&'a DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn add_path_dependencies(owner: &DeTable, found: &mut Vec<PathDependency>) {
    for kind in DEPENDENCIES {
        let Some(dependencies) = owner.get(kind).and_then(|value| table(value.get_ref())) else {
            continue;
        };
        for dependency in dependencies.values() {
            let path = table(dependency.get_ref()).and_then(|table| table.get("path"));
            if let Some(path) = path
                && let DeValue::String(text) = path.get_ref()
            {
                found.push(PathDependency {
                    path: PathBuf::from(text.as_ref()),
                    place: path.span(),
                });
            }
        }
    }
}

/// Adds where each heading `[name]` or `[[name]]` begins, and the name.
fn add_headings(text: &str, owner: &DeTable, above: &str, found: &mut Vec<(usize, String)>) {
    for (key, value) in owner {
        let name = if above.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{above}.{}", key.get_ref())
        };
        let several = match value.get_ref() {
            DeValue::Array(values) => values.iter().collect(),
            _ => vec![value],
        };
        for value in several {
            let Some(table) = table(value.get_ref()) else {
                continue;
            };
            let start = value.span().start;
            let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
            if text[start..].starts_with('[') && text[line_start..start].trim().is_empty() {
                found.push((line_start, name.clone()));
            }
            add_headings(text, table, &name, found);
        }
    }
}

/// Gives where the comment lines begin that end at `start`, or `start`.
fn with_comments_above(text: &str, start: usize) -> usize {
    let mut begin = start;
    while let Some(above) = text[..begin].strip_suffix('\n') {
        let line = above.rfind('\n').map_or(0, |end| end + 1);
        if !text[line..].starts_with('#') {
            break;
        }
        begin = line;
    }
    begin
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::ManifestText;

    const LESSON: &str = r#"[package]
name = "pool"

[[bin]]
name = "pool"

# How many minutes it takes.
[package.metadata.lesson]
minutes = 10

# What it needs.
[dependencies]
anyhow = "1.0" # errors
multiprocess = { path = "../../crates/multiprocess" }

[target.'cfg(unix)'.dependencies.support]
path = "../../crates/support"

[[test]]
name = "one"

# Two.
[[test]]
name = "two"

[dev-dependencies]
tempfile = "3"
"#;

    fn lesson() -> ManifestText {
        ManifestText::new(LESSON.to_owned()).unwrap()
    }

    #[test]
    fn only_the_package_is_renamed() {
        let mut manifest = lesson();
        manifest.rename("my-pool").unwrap();
        let expected = LESSON.replacen("\"pool\"", "\"my-pool\"", 1);
        assert_eq!(manifest.into_text(), expected);
    }

    #[test]
    fn paths_are_moved_wherever_they_stand() {
        let mut manifest = lesson();
        manifest
            .move_path_dependencies(|dependency| {
                let name = dependency.path.file_name().unwrap().to_str().unwrap();
                Ok(format!("crates/{name}"))
            })
            .unwrap();
        assert_eq!(manifest.into_text(), LESSON.replace("../../", ""));
    }

    #[test]
    fn tables_go_with_their_comments_and_the_rest_stays() {
        let mut manifest = lesson();
        let gone = ["package.metadata", "test", "dev-dependencies"];
        manifest.remove_tables(&gone).unwrap();
        let (before, after) = LESSON.split_once("# How many").unwrap();
        let after = &after[after.find("# What").unwrap()..after.find("[[test]]").unwrap()];
        assert_eq!(manifest.into_text(), format!("{before}{after}"));
    }

    #[test]
    fn tables_are_found_without_those_below_them() {
        let text = "[profile.dev]\nopt-level = 2\n\n# Fast.\n[profile.dev.package.xtask]\n\
                    opt-level = 0\n\n[profile.dev.build-override]\ndebug = false\n";
        let manifest = ManifestText::new(text.to_owned()).unwrap();
        let wanted = ["profile.dev", "profile.dev.build-override"];
        assert_eq!(
            manifest.text_of_tables(&wanted).unwrap(),
            "[profile.dev]\nopt-level = 2\n\n[profile.dev.build-override]\ndebug = false\n"
        );
    }

    #[test]
    fn a_line_of_an_array_is_no_heading() {
        let text = "[package]\nname = \"a\"\nkeys = [\n[1],\n]\n\n[test.x]\na = 1\n";
        let mut manifest = ManifestText::new(text.to_owned()).unwrap();
        manifest.remove_tables(&["test", "1"]).unwrap();
        assert_eq!(
            manifest.into_text(),
            "[package]\nname = \"a\"\nkeys = [\n[1],\n]\n\n"
        );
    }
}

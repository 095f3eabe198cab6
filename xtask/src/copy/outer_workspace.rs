use std::path::{Component, Path, PathBuf};

use super::place::Place;
use crate::manifest::{Manifest, Value};
use course::misuse::Misuse;

/// Refuses a place that a workspace above it claims for itself by a pattern such as `crates/*`: that
/// workspace would be broken by a project that is a workspace of its own, or by a folder without one.
pub(super) fn refuse_if_claimed(place: &Place) -> Result<(), Misuse> {
    let mut folder = place.anchor.clone();
    // The folders that will be new, from the outside in.
    let mut new = Vec::new();
    for name in &place.missing {
        folder.push(name);
        new.push(folder.clone());
    }
    if new.is_empty() {
        new.push(folder);
    }
    for above in place.folder().ancestors().skip(1) {
        let path = above.join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let Ok(manifest) = Manifest::read(&path) else {
            continue;
        };
        for folder in &new {
            let Ok(below) = folder.strip_prefix(above) else {
                continue;
            };
            if let Some(pattern) = claim(&manifest, below) {
                return Err(Misuse(format!(
                    "the workspace of {} counts {} among its members, by `{pattern}`, and would stop \
                     working: add exclude = [\"{}\"] to its table [workspace], or choose another folder",
                    path.display(),
                    folder.display(),
                    slashed(below)
                )));
            }
        }
    }
    Ok(())
}

/// Gives the pattern by which a workspace claims a folder, if it does.
fn claim(manifest: &Manifest, below: &Path) -> Option<String> {
    let excluded = texts(manifest, "exclude").any(|excluded| below.starts_with(normal(excluded)));
    texts(manifest, "members")
        .find(|pattern| {
            let has_wildcard = pattern.contains(['*', '?']);
            matches(&normal(pattern), below) && !(has_wildcard && excluded)
        })
        .map(str::to_owned)
}

fn texts<'a>(manifest: &'a Manifest, key: &str) -> impl Iterator<Item = &'a str> {
    let values = manifest.get(&["workspace", key]);
    let values = values.map_or(&[][..], |value| value.list());
    values.iter().filter_map(Value::text)
}

/// Gives a path without `.` in it.
fn normal(path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    parts.filter(|part| *part != Component::CurDir).collect()
}

fn matches(pattern: &Path, path: &Path) -> bool {
    let (mut patterns, mut parts) = (pattern.components(), path.components());
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) => {
                let pattern = pattern.as_os_str().to_string_lossy();
                if pattern == "**" {
                    return true;
                }
                let name = part.as_os_str().to_string_lossy();
                if !matches_name(&pattern, &name) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Tells whether a name fits a pattern, in which `*` stands for any letters and `?` for one.
fn matches_name(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('*') => {
            let rests = name.char_indices().map(|(at, _)| &name[at..]);
            let rest = letters.as_str();
            rests.chain([""]).any(|name| matches_name(rest, name))
        }
        Some(letter) => {
            let mut others = name.chars();
            let other = others.next();
            (other == Some(letter) || letter == '?' && other.is_some())
                && matches_name(letters.as_str(), others.as_str())
        }
    }
}

fn slashed(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::{matches_name, refuse_if_claimed};
    use crate::copy::place::Place;
    use std::fs;

    /// Tells what is said about a folder below a workspace with this table.
    fn told(workspace: &str, dir: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("crates")).unwrap();
        let manifest = format!("[workspace]\n{workspace}\n");
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        let place = Place::find(&folder.path().join(dir)).unwrap();
        refuse_if_claimed(&place).err().map(|error| error.0)
    }

    #[test]
    fn a_place_that_a_pattern_takes_in_is_refused() {
        let workspace = "members = [\"crates/*\"]";
        let refusal = told(workspace, "crates/pool").unwrap();
        assert!(refusal.contains("by `crates/*`"), "{refusal}");
        assert!(refusal.contains("exclude = [\"crates/pool\"]"), "{refusal}");
        // The folder above the project would be taken for a member.
        assert!(told(workspace, "crates/mine/pool").is_some());
        assert!(told("members = [\"./crates/pool\"]", "crates/pool").is_some());
    }

    #[test]
    fn other_places_are_accepted() {
        assert_eq!(told("members = [\"crates/*\"]", "pool"), None);
        assert_eq!(told("members = [\"crates/a\", \"b\"]", "crates/pool"), None);
        let excluding = "members = [\"crates/*\"]\nexclude = [\"crates/pool\"]";
        assert_eq!(told(excluding, "crates/pool"), None);
    }

    #[test]
    fn wildcards_stand_for_letters() {
        for (pattern, name) in [("*", "pool"), ("p*l", "pool"), ("po?l", "pool"), ("*", "")] {
            assert!(matches_name(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("p*x", "pool"), ("pool?", "pool"), ("poo", "pool")] {
            assert!(!matches_name(pattern, name), "{pattern} {name}");
        }
    }
}

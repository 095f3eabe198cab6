//! Which files of a crate use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files, by their paths as modules (`sync::lock`), and which of the others each one uses.
pub(crate) type Uses = BTreeMap<String, BTreeSet<String>>;

/// Returns the text of each file below the folder of a crate's source.
pub(crate) fn source(src: &Path) -> BTreeMap<String, String> {
    let mut source = BTreeMap::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(src).unwrap().with_extension("");
            let module: Vec<_> = inside.iter().map(|part| part.to_str().unwrap()).collect();
            source.insert(module.join("::"), fs::read_to_string(&path).unwrap());
        }
    }
    source
}

/// Each `crate::a::b` of the text, in code that isn't a test, with what stands in its braces one by one.
fn paths(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(str::trim);
    let code: String = lines.filter(|line| !line.starts_with("//")).collect();
    let mut paths = Vec::new();
    for after in code.split("crate::").skip(1) {
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        let (path, rest) = after.split_at(end.unwrap_or(after.len()));
        let list = rest
            .strip_prefix('{')
            .and_then(|list| list.split('}').next());
        match list {
            Some(list) => {
                paths.extend(list.split(',').map(|item| format!("{path}{}", item.trim())));
            }
            None => paths.push(path.to_owned()),
        }
    }
    paths
}

/// Returns which files each file uses.
pub(crate) fn uses(source: &BTreeMap<String, String>) -> Uses {
    let file_of = |path: &str| {
        let mut path = path.trim_end_matches(':');
        while !source.contains_key(path) {
            path = path.rsplit_once("::")?.0;
        }
        Some(path.to_owned())
    };
    let of = |text: &String| {
        paths(text)
            .iter()
            .filter_map(|path| file_of(path))
            .collect()
    };
    source
        .iter()
        .map(|(file, text)| (file.clone(), of(text)))
        .collect()
}

/// Returns the files that use each other in a circle, and what is between two circles.
pub(crate) fn circles(uses: &Uses) -> Uses {
    let mut uses = uses.clone();
    for (file, used) in &mut uses {
        used.remove(file);
    }
    // A file that uses none of the others, or that none of the others uses, is in no circle.
    loop {
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        let targets: BTreeSet<String> = uses.values().flatten().cloned().collect();
        for uses in uses.values_mut() {
            uses.retain(|used| left.contains(used));
        }
        uses.retain(|file, uses| targets.contains(file) && !uses.is_empty());
        if uses.len() == left.len() {
            break;
        }
    }
    uses
}

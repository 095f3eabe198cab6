//! The order of the layers in `src`: a file uses only layers before its own, and no two files use each other in a
//! circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each layer is a folder. `sync` and `channel` don't use each other.
const LAYERS: [&[&str]; 8] = [
    &["platform"],
    &["errors"],
    &["trace"],
    &["memory"],
    &["transfer"],
    &["sync", "channel"],
    &["process"],
    &["pool"],
];

/// The files, by their paths as modules (`sync::lock`), and which of the others each one uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn source() -> BTreeMap<String, String> {
    let mut source = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let inside = inside.strip_prefix("src").unwrap().with_extension("");
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

fn uses(source: &BTreeMap<String, String>) -> Uses {
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

fn layer(file: &str) -> Option<usize> {
    let folder = file.split("::").next()?;
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

#[test]
fn a_layer_uses_only_layers_before_it() {
    let source = source();
    let mut wrong = Vec::new();
    for (file, used) in uses(&source) {
        let Some(own) = layer(&file) else {
            assert_eq!(file, "lib", "src/{file}.rs belongs to no layer");
            continue;
        };
        for used in used {
            let folder = |file: &str| file.split("::").next().unwrap().to_owned();
            let is_before = layer(&used).is_some_and(|used| used < own);
            if !is_before && folder(&used) != folder(&file) {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert_eq!(
        wrong, [""; 0],
        "a layer uses only layers before it: {LAYERS:?}"
    );
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut uses = uses(&source());
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
    assert!(
        uses.is_empty(),
        "these files use each other in a circle: {uses:#?}"
    );
}

#[test]
fn what_a_file_uses_is_found() {
    let source = source();
    let uses = uses(&source);
    assert!(uses["sync::lock"].contains("memory::segment"), "{uses:#?}");
    assert!(
        uses["pool::chunker"].contains("pool::supervisor"),
        "{uses:#?}"
    );
    for (file, text) in &source {
        let not_seen: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("use super::"))
            .collect();
        assert_eq!(not_seen, [""; 0], "{file}: write `use crate::…`");
    }
}

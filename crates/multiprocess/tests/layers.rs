//! The order of the layers in `src`: a file uses only layers before its own, and no two files use each other in a
//! circle.

#[path = "layers/imports.rs"]
mod imports;

use std::collections::BTreeMap;
use std::path::Path;

use imports::{circles, uses};

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

fn source() -> BTreeMap<String, String> {
    imports::source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"))
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
    let uses = circles(&uses(&source()));
    assert!(
        uses.is_empty(),
        "these files use each other in a circle: {uses:#?}"
    );
}

#[test]
fn what_a_file_uses_is_found() {
    let source = source();
    let uses = uses(&source);
    assert!(uses["sync::lock"].contains("memory::slot"), "{uses:#?}");
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

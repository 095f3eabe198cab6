//! The crates of the course tool, and what the lessons share: no files use each other in a circle.

#[path = "../../../crates/multiprocess/tests/layers/imports.rs"]
mod imports;

use std::path::Path;

use imports::{circles, source, uses};

#[test]
fn no_files_use_each_other_in_a_circle() {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["bench", "course", "support", "timeline", "../xtask"] {
        let src = xtask.join("../crates").join(name).join("src");
        let uses = uses(&source(&src));
        assert!(
            uses.values().any(|used| !used.is_empty()),
            "{name}: {uses:#?}"
        );
        let circles = circles(&uses);
        assert!(
            circles.is_empty(),
            "{name}: these files use each other in a circle: {circles:#?}"
        );
    }
}

//! The crates of the course tool and of the lessons have no cyclic dependencies between files.

#[path = "../../../crates/multiprocess/tests/layers/imports.rs"]
mod imports;

use std::path::Path;

use imports::{circles, source, uses};

#[test]
fn files_have_no_cyclic_dependencies() {
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
            "{name}: cyclic dependencies: {circles:#?}"
        );
    }
}

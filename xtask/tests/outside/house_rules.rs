//! The checkout that this test stands in keeps the house rules.

use std::path::Path;

use crate::small_course::{Told, told, xtask};

#[test]
fn this_checkout_keeps_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root of the checkout");
    let Told { out, error, status } = told(&mut xtask(root, &["check"]));
    assert_eq!(status, Some(0), "{out}{error}");
}

use std::fmt;

use support::nearest_name;

/// A command line that cannot be understood: told to the user, with exit status 2.
#[derive(Debug)]
pub struct Misuse(pub String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Returns the part of a message that names what was probably meant, or nothing.
pub fn suggestion<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest_name(wanted, names)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

use std::fmt;

use support::nearest_name;

/// A wrong command line: the message is shown, and the exit status is 2.
#[derive(Debug)]
pub struct Misuse(pub String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Returns `; did you mean ...?` with the nearest name, or an empty text.
pub fn suggestion<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest_name(wanted, names)
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// How alike two names must be, from 0 (nothing in common) to 1 (the same), to be worth suggesting.
const LIKENESS: f64 = 0.5;

/// Finds the name that is most like `wanted`: what somebody probably meant who mistyped it.
///
/// A name that begins with `wanted` counts as very like it, and case does not matter. Gives `None`
/// when no name is near. Python's equivalent is `difflib.get_close_matches`.
///
/// # Examples
///
/// ```
/// use support::nearest_name;
///
/// let lessons = ["threads", "naming", "value-array"];
/// assert_eq!(nearest_name("thraeds", lessons), Some("threads"));
/// assert_eq!(nearest_name("val", lessons), Some("value-array"));
/// assert_eq!(nearest_name("xyz", lessons), None);
/// ```
#[must_use]
pub fn nearest_name<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .into_iter()
        .map(|name| (likeness(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

fn likeness(wanted: &str, name: &str) -> f64 {
    let by_spelling = strsim::normalized_damerau_levenshtein(wanted, name);
    let begins_the_same = wanted.chars().count() >= 2 && name.starts_with(wanted);
    if begins_the_same {
        by_spelling.max(0.9)
    } else {
        by_spelling
    }
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn swapped_letters_are_seen_through() {
        assert_eq!(nearest_name("mpa", ["map", "squares"]), Some("map"));
    }

    #[test]
    fn the_nearest_of_several_is_given() {
        let names = ["join-order", "join", "joiner"];
        assert_eq!(nearest_name("Join", names), Some("join"));
    }

    #[test]
    fn one_letter_is_no_beginning() {
        assert_eq!(nearest_name("v", ["value-array"]), None);
    }

    #[test]
    fn without_names_there_is_no_nearest() {
        assert_eq!(nearest_name("map", []), None);
    }
}

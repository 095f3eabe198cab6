/// How similar a name must be to be suggested, from 0 (nothing in common) to 1 (equal).
const MIN_SIMILARITY: f64 = 0.5;

/// Returns the name that is most similar to `wanted`, which may be mistyped.
///
/// A name that begins with `wanted` counts as very similar, and case doesn't matter. Returns `None` if
/// no name is similar enough. Python's equivalent is `difflib.get_close_matches`.
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
        .map(|name| (similarity(&wanted, &name.to_lowercase()), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

fn similarity(wanted: &str, name: &str) -> f64 {
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
    fn a_name_with_swapped_letters_is_found() {
        assert_eq!(nearest_name("mpa", ["map", "squares"]), Some("map"));
    }

    #[test]
    fn the_most_similar_of_several_names_is_returned() {
        let names = ["join-order", "join", "joiner"];
        assert_eq!(nearest_name("Join", names), Some("join"));
    }

    #[test]
    fn a_single_letter_does_not_count_as_a_beginning() {
        assert_eq!(nearest_name("v", ["value-array"]), None);
    }

    #[test]
    fn without_names_nothing_is_found() {
        assert_eq!(nearest_name("map", []), None);
    }
}

/// Tells how many lines of a block can be shown, when `room` rows of a page are left and a whole page
/// has `page` of them; `rows` tells how many a line takes.
///
/// A block that fits on a page is not divided. A longer one is divided at an empty line if there is
/// one far enough down. An empty line at the end needs no room.
pub(crate) fn fitting(
    lines: &[String],
    rows: impl Fn(&str) -> usize,
    room: usize,
    page: usize,
) -> usize {
    let filled = lines.iter().rposition(|line| !line.is_empty());
    let needed = filled.map_or(0, |last| lines[..=last].iter().map(|line| rows(line)).sum());
    if needed <= room {
        return lines.len();
    }
    if room < page && (needed <= page || room < page.div_ceil(2)) {
        return 0;
    }
    let count = |room| count(lines, &rows, room);
    let (low, most) = (count(room / 2), count(room));
    let gap = lines[low..most].iter().rposition(String::is_empty);
    let fitting = gap.map_or(most, |gap| low + gap + 1);
    // A line that is longer than a page has to be shown all the same.
    if room < page { fitting } else { fitting.max(1) }
}

/// Tells how many of the first lines fit in so many rows.
fn count(lines: &[String], rows: impl Fn(&str) -> usize, room: usize) -> usize {
    let mut left = room;
    let fits = |line: &&String| match left.checked_sub(rows(line)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    lines.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {

    /// Makes lines of a text in which `.` is an empty line and any other letter a full one.
    fn lines(text: &str) -> Vec<String> {
        let lines = text
            .chars()
            .map(|letter| letter.to_string().replace('.', ""));
        lines.collect()
    }

    /// Each letter has a row, but `W` is wide and has two.
    fn fitting(lines: &[String], room: usize, page: usize) -> usize {
        let rows = |line: &str| if line == "W" { 2 } else { 1 };
        super::fitting(lines, rows, room, page)
    }

    #[test]
    fn what_fits_is_shown_with_the_empty_line_behind_it() {
        assert_eq!(fitting(&lines("abc."), 3, 10), 4);
        assert_eq!(fitting(&lines("."), 0, 10), 1);
        assert_eq!(fitting(&[], 0, 10), 0);
    }

    #[test]
    fn a_block_that_fits_on_a_page_waits_for_a_new_one() {
        assert_eq!(fitting(&lines("abc."), 2, 3), 0);
        assert_eq!(fitting(&lines("abc."), 3, 3), 4);
    }

    #[test]
    fn a_block_longer_than_a_page_is_divided_at_an_empty_line() {
        assert_eq!(fitting(&lines("abc.efghi."), 6, 6), 4);
        assert_eq!(
            fitting(&lines("a.cdefghi."), 6, 6),
            6,
            "that one is too near the top"
        );
        assert_eq!(fitting(&lines("abcdefghi."), 4, 6), 4);
        assert_eq!(
            fitting(&lines("abcdefghi."), 2, 6),
            0,
            "too little room is left"
        );
        assert_eq!(fitting(&lines("abcdefghi."), 0, 1), 0);
        assert_eq!(fitting(&lines("abcdefghi."), 1, 1), 1);
    }

    #[test]
    fn a_line_counts_with_all_its_rows() {
        assert_eq!(fitting(&lines("aWc."), 4, 10), 4);
        assert_eq!(fitting(&lines("aWc."), 3, 10), 0);
        assert_eq!(fitting(&lines("abWdW."), 6, 6), 4);
        assert_eq!(fitting(&lines("a.WcWe."), 6, 6), 4);
        assert_eq!(fitting(&lines("aW.cWe."), 6, 6), 3);
        assert_eq!(fitting(&lines("WWW"), 1, 2), 0);
        assert_eq!(fitting(&lines("WW"), 1, 1), 1, "however small the page is");
    }

    #[test]
    fn each_page_shows_something_however_small_it_is() {
        for page in 1..12 {
            let all = lines("aWc..fghWWk.mnopqrst.");
            let mut rest = all.as_slice();
            while !rest.is_empty() {
                let count = fitting(rest, page, page);
                assert!(count > 0, "page {page}: {rest:?}");
                rest = &rest[count..];
            }
        }
    }
}

//! Pages of text that fit on a terminal.

use textwrap::core::display_width;

/// Splits the lines of blocks into pages of `page` rows, on a terminal of this many columns.
///
/// A block that fits on a page isn't split. In a longer block, a paragraph or an item of a list that fits
/// isn't split, and its last row isn't alone on a page. Empty lines at the start and at the end of a page
/// don't count.
pub(crate) fn pages(blocks: &[Vec<String>], page: usize, columns: usize) -> Vec<Vec<String>> {
    let mut free = page;
    let mut pages = vec![Vec::new()];
    for lines in blocks {
        let is_whole = rows_of(lines, columns) <= page;
        let mut length = 0;
        let parts = lines.chunk_by(|line, next| {
            length += usize::from(!line.is_empty());
            let is_end = line.is_empty() || next.starts_with("- ");
            // A single line, such as a heading, stays with the next part.
            let is_end = !is_whole && is_end && length > 1;
            length = if is_end { 0 } else { length };
            !is_end
        });
        for part in parts {
            let needed = rows_of(part, columns);
            // A part longer than a page begins on this one if half of the page is free.
            let mut needs_page = needed > free && (needed <= page || free < page / 2);
            for (index, line) in part.iter().enumerate() {
                let is_margin = needs_page || free == 0 || free == page;
                if is_margin && line.is_empty() {
                    continue;
                }
                let rest = &part[index..];
                let is_near_end = rest.len() < 4 && rows_of(rest, columns) == 2;
                let least = if is_near_end { 2 } else { rows(line, columns) };
                if free < page && (needs_page || least > free) {
                    pages.push(Vec::new());
                    free = page;
                }
                needs_page = false;
                free = free.saturating_sub(rows(line, columns));
                pages.last_mut().expect("there is one").push(line.clone());
            }
        }
    }
    pages
}

/// Returns how many rows these lines need, without empty lines at the end.
fn rows_of(lines: &[String], columns: usize) -> usize {
    let end = lines.iter().rposition(|line| !line.is_empty());
    let lines = &lines[..end.map_or(0, |last| last + 1)];
    lines.iter().map(|line| rows(line, columns)).sum()
}

/// Returns how many rows a line needs on the terminal.
fn rows(line: &str, columns: usize) -> usize {
    display_width(line).div_ceil(columns).max(1)
}

#[cfg(test)]
mod tests {
    /// Returns pages of 10 rows, with a letter for each line. In the text, `.` is an empty line, `W` takes two
    /// rows, `L` eleven, and any other letter one; `|` ends a block, and an empty line.
    fn pages(text: &str) -> String {
        let line = |letter| match letter {
            '.' => String::new(),
            'W' => "W".repeat(81),
            'L' => "L".repeat(10 * 80 + 1),
            _ => letter.to_string(),
        };
        let block = |block: &str| block.chars().chain(['.']).map(line).collect();
        let blocks: Vec<Vec<String>> = text.split('|').map(block).collect();
        let letter = |line: &String| line.chars().next().unwrap_or('.');
        let pages = super::pages(&blocks, 10, 80);
        let pages = pages
            .iter()
            .map(|page| page.iter().map(letter).collect::<String>());
        pages.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_fits_on_a_page_is_not_split_and_the_rest_is_split_at_empty_lines_if_possible() {
        let cases = "abc => abc.
            ab|cd => ab.cd.
            abcd|efg.hij => abcd. efg.hij.
            abcdWWW|e => abcdWWW e.
            abcdef|ghijklmnopq => abcdef. ghijklmno pq.
            abcd|.efghij => abcd. efghij.
            abcdefghij|k => abcdefghij k.
            abcdef.ghijkl => abcdef. ghijkl.
            a.bcdefghijklmn => a.bcdefghi jklmn.
            abcdefg.h.ijklmn => abcdefg. h.ijklmn.
            aL|b => a L b.
            abcdef|ghijklmnopqrst => abcdef. ghijklmnop qrst.";
        for (text, expected) in cases.lines().filter_map(|case| case.split_once(" => ")) {
            assert_eq!(pages(text.trim()), expected, "{text}");
        }
    }
}

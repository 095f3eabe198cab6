//! Reads the finished book as a browser would, and looks whether everything is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;

/// Gives what is wrong with the pages of a book: links that lead nowhere, and things that would be
/// fetched from elsewhere.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "html") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            pages.insert(name.into_owned(), fs::read_to_string(&path)?);
        }
    }
    let mut problems = Vec::new();
    for (name, html) in &pages {
        for (attribute, link) in links(html) {
            if let Some(problem) = problem(folder, &pages, name, attribute, link) {
                let problem = format!("{name}: {attribute}=\"{link}\" {problem}");
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    Ok(problems)
}

/// Finds the links of a page, each with the attribute that holds it.
fn links(html: &str) -> impl Iterator<Item = (&'static str, &str)> {
    ["href", "src", "srcset"].into_iter().flat_map(|attribute| {
        let begin = match attribute {
            "href" => " href=\"",
            "src" => " src=\"",
            _ => " srcset=\"",
        };
        let parts = html.split(begin).skip(1);
        parts.filter_map(move |part| Some((attribute, part.split_once('"')?.0)))
    })
}

fn problem(
    folder: &Path,
    pages: &BTreeMap<String, String>,
    page: &str,
    attribute: &str,
    link: &str,
) -> Option<&'static str> {
    if link.contains("://") || link.starts_with("//") {
        // A link may lead into the world, but nothing is fetched from there.
        let is_link = attribute == "href" && pages[page].contains(&format!("<a href=\"{link}\""));
        return (!is_link).then_some("is fetched from elsewhere");
    }
    if link.starts_with("data:") || link.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let path = if path.is_empty() { page } else { path };
    match pages.get(path) {
        Some(html) if fragment.is_empty() || html.contains(&format!(" id=\"{fragment}\"")) => None,
        Some(_) => Some("has no such place"),
        None if folder.join(path).is_file() => None,
        None => Some("leads nowhere"),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::fs;

    fn problems(page: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), page).unwrap();
        fs::write(folder.path().join("a.css"), "").unwrap();
        read(folder.path()).unwrap()
    }

    #[test]
    fn a_book_in_order_has_no_problem() {
        let page = "<link href=\"a.css\"><h1 id=\"top\"></h1><a href=\"#top\"></a>\
                    <a href=\"index.html#top\"></a><a href=\"https://rust.example/\"></a>";
        assert_eq!(problems(page), [""; 0]);
    }

    #[test]
    fn broken_links_are_told_with_their_page() {
        let found = problems("<a href=\"b.html\"></a> <a href=\"#low\"></a> <img src=\"c.svg\">");
        assert_eq!(
            found,
            [
                "index.html: href=\"b.html\" leads nowhere",
                "index.html: href=\"#low\" has no such place",
                "index.html: src=\"c.svg\" leads nowhere"
            ]
        );
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let found =
            problems("<link href=\"https://fonts.example/a.css\"> <script src=\"//b.example\">");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("is fetched from elsewhere"), "{found:?}");
    }
}

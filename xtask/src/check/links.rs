use pulldown_cmark::{Event, Options, Parser, Tag};

use super::Problem;
use super::checkout::Checkout;
use course::source::Source;

/// A relative link in a Markdown file leads to a file or folder that exists.
pub(super) fn links_lead_somewhere(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Source { path, text } in checkout.texts() {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let folder = path.parent().unwrap_or(&path);
        let parser = Parser::new_ext(&text, Options::ENABLE_TABLES);
        for (event, range) in parser.into_offset_iter() {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
            else {
                continue;
            };
            let target = dest_url.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if target.is_empty() || elsewhere {
                continue;
            }
            if !checkout.root.join(folder).join(target).exists() {
                problems.push(Problem::new(
                    &path,
                    1 + text[..range.start].matches('\n').count(),
                    format!("the link to {target} leads nowhere"),
                    "correct its path, which is relative to the file's folder",
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::links_lead_somewhere;
    use crate::check::fixture::{Fixture, problems};

    #[test]
    fn links_to_files_to_headings_and_to_elsewhere_are_accepted() {
        let fixture = Fixture::new();
        fixture.write(
            "README.md",
            "[a](lessons/pool/README.md#map) [b](#below) [c](https://a.example/x) [d](lessons)\n",
        );
        assert_eq!(problems(links_lead_somewhere, &fixture.checkout()), [""; 0]);
    }

    #[test]
    fn a_link_to_nothing_is_refused_with_its_line() {
        let fixture = Fixture::new();
        fixture.write("README.md", "One.\n\n[a](lessons/pond/README.md)\n");
        let found = problems(links_lead_somewhere, &fixture.checkout());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("README.md:3: the link to lessons/pond/README.md leads nowhere"),
            "{found:?}"
        );
    }
}

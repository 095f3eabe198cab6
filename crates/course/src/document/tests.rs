use super::{Block, Document};

const SCRIPT: &str = "\
# Pool: workers that stay

Some *prose*, with [a link][there].

| a | b |
|---|---|
| 1 | 2 |

## Why a pool

Because.

## map: one function over many inputs

What will be printed?

```python
def map():
    pass
```
```rust,compile_fail
// no
fn map() {}
```
```console any-order
$ cargo run -q -p pool -- map
10
```

Notice that.

## Three things to try

1. This.

   ```rust
   not_a_block_of_the_section();
   ```

And:

    indented

[there]: https://example.org/there
";

#[test]
fn a_script_is_parsed() {
    let readme = Document::parse(SCRIPT);
    assert_eq!(readme.title, "Pool: workers that stay");
    assert!(matches!(readme.opening.as_slice(), [Block::Prose(text)]
        if text.contains("*prose*") && text.contains("| 1 | 2 |")
            && text.contains("[there]: https://example.org/there")));
    let sections = readme.sections.iter();
    let sections: Vec<_> = sections
        .map(|section| (&*section.heading, &*section.words, section.line))
        .collect();
    let expected = [
        ("Why a pool", "Why a pool", 9),
        (
            "map: one function over many inputs",
            "one function over many inputs",
            13,
        ),
        ("Three things to try", "Three things to try", 32),
    ];
    assert_eq!(sections, expected);
    assert_eq!(readme.steps().collect::<Vec<_>>(), ["map"]);

    let section = &readme.sections[1];
    assert!(matches!(section.blocks.first(), Some(Block::Prose(_))));
    assert!(matches!(section.blocks.last(), Some(Block::Prose(text))
        if text.starts_with("Notice that.")));
    let code: Vec<_> = section.code().collect();
    let lines = code.iter().map(|code| (code.language(), code.line));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [("python", 17), ("rust", 21), ("console", 25)]
    );
    assert_eq!(code[0].text, "def map():\n    pass\n");
    assert!(code[1].has_tag("compile_fail"));
    assert!(code[2].has_tag("any-order"));
    assert!(code[2].is_run_of("cargo run -q -p pool -- map"));
    assert!(!code[2].is_run_of("cargo run -q -p pool -- ma"));

    // Code in a list or without fences belongs to the prose.
    assert!(
        matches!(readme.sections[2].blocks.as_slice(), [Block::Prose(text)]
        if text.contains("not_a_block") && text.contains("\n\n    indented\n\n"))
    );
}

#[test]
fn a_heading_is_a_step_only_with_a_name_and_a_colon() {
    let readme = Document::parse("# T\n\n## Note: this\n\n## in-ps: that\n");
    assert_eq!(readme.steps().collect::<Vec<_>>(), ["in-ps"]);
}

#[test]
fn the_text_between_fences_can_be_replaced() {
    let document = Document::parse(SCRIPT);
    assert!(
        document
            .code()
            .all(|code| code.text == SCRIPT[code.place.clone()])
    );
    let first = document.code().next().unwrap().place.clone();
    let text = document.edited(vec![(first, "pass\n".to_owned())]);
    assert_eq!(text, SCRIPT.replace("def map():\n    pass\n", "pass\n"));
}

#[test]
fn every_link_is_found_and_can_be_redirected() {
    let text =
        "[a *b*](gone.md) ![c](c.svg) [d][e] [f](gone.md)\n\n<img src=\"g.svg\">\n\n[e]: e.md#h\n";
    let document = Document::parse(text);
    let links = document.links.iter();
    let links: Vec<_> = links
        .map(|link| (link.destination.as_str(), link.line))
        .collect();
    let expected = [
        ("gone.md", 1),
        ("c.svg", 1),
        ("gone.md", 1),
        ("g.svg", 3),
        ("e.md#h", 5),
    ];
    assert_eq!(links, expected);
    let edits = document.redirected(|link| match link.destination.as_str() {
        "gone.md" => None,
        other => Some(format!("x/{other}")),
    });
    let expected = "a *b* ![c](x/c.svg) [d][e] f\n\n<img src=\"x/g.svg\">\n\n[e]: x/e.md#h\n";
    assert_eq!(document.edited(edits), expected);
}

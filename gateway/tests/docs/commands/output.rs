//! What a document shows as a command's output, and what the command wrote.

/// Stands for any text within a line, and alone on a line for any lines.
const ANYTHING: &str = "…";

/// Compares line by line.
///
/// # Panics
/// Where they differ; `place` says where that is.
pub(super) fn compare(expected: &str, actual: &str, place: &str) {
    let lines = |text: &str| text.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    let (wanted, got) = (lines(expected), lines(actual));
    assert!(fits(&wanted, &got), "{place}\n--- shown\n{expected}\n--- written\n{actual}");
}

fn fits(wanted: &[String], got: &[String]) -> bool {
    match wanted.split_first() {
        None => got.is_empty(),
        Some((first, rest)) if first == ANYTHING => (0..=got.len()).any(|n| fits(rest, &got[n..])),
        Some((first, rest)) => {
            got.split_first().is_some_and(|(line, left)| line_fits(first, line) && fits(rest, left))
        }
    }
}

fn line_fits(wanted: &str, got: &str) -> bool {
    // Headers end with CR LF; where a line ends in a document is not seen.
    let (wanted, mut got) = (wanted.trim_end(), got.trim_end());
    let mut parts = wanted.split(ANYTHING).enumerate().peekable();
    while let Some((index, part)) = parts.next() {
        let is_last = parts.peek().is_none();
        let found = match (index, is_last) {
            (0, true) => return got == part,
            (0, false) => got.strip_prefix(part),
            (_, true) => return got.ends_with(part),
            (_, false) => got.split_once(part).map(|(_, behind)| behind),
        };
        let Some(behind) = found else { return false };
        got = behind;
    }
    true
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    let all = |wanted: &str, got: &str| {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        fits(&lines(wanted), &lines(got))
    };
    for (wanted, got) in [
        ("a", "a"),
        ("a…d", "abcd"),
        ("…d", "d"),
        ("a…", "a"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a…c…e", "abcde"),
    ] {
        assert!(all(wanted, got), "{wanted:?} {got:?}");
    }
    for (wanted, got) in
        [("a", "ab"), ("a…d", "abc"), ("a\n…\nd", "a\nb"), ("a", "a\nb"), ("…", "")]
    {
        assert_eq!(all(wanted, got), wanted == "…", "{wanted:?} {got:?}");
    }
}

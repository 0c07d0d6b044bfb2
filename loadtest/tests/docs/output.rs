//! What a document shows as a command's output, and what the command wrote.

/// Stands for any text within a line, and alone on a line for any lines.
const ANYTHING: &str = "…";

/// Compares line by line.
///
/// # Panics
/// Where they differ.
pub(crate) fn compare(shown: &str, written: &str, command: &str) {
    let lines = |text: &str| text.trim_end().lines().map(str::to_owned).collect::<Vec<_>>();
    let fits = fits(&lines(shown), &lines(written));
    assert!(fits, "$ {command}\n--- shown\n{shown}\n--- written\n{written}");
}

fn fits(shown: &[String], written: &[String]) -> bool {
    match shown.split_first() {
        None => written.is_empty(),
        Some((first, rest)) if first == ANYTHING => {
            (0..=written.len()).any(|skipped| fits(rest, &written[skipped..]))
        }
        Some((first, rest)) => written
            .split_first()
            .is_some_and(|(line, left)| line_fits(first, line) && fits(rest, left)),
    }
}

fn line_fits(shown: &str, written: &str) -> bool {
    // Columns are as wide as their contents.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, written) = (words(shown), words(written));
    let mut parts = shown.split(ANYTHING);
    let Some(mut rest) = written.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut ends_open = false;
    for part in parts {
        match rest.find(part) {
            Some(_) if part.is_empty() => ends_open = true,
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    ends_open || rest.is_empty()
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (shown, written, fitting) in [
        ("a", "a", true),
        ("a…d", "abcd", true),
        ("a…", "a", true),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a", "ab", false),
        ("a…d", "abc", false),
        ("a", "a\nb", false),
    ] {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(fits(&lines(shown), &lines(written)), fitting, "{shown:?} {written:?}");
    }
}

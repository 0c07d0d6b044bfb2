//! Whatever the text, the reader answers: with a configuration or with problems that have places.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails by panicking")]

use std::fs;
use std::path::Path;

use gateway_config::{Problems, parse};
use proptest::prelude::*;

/// Reads the text and renders what it finds in every form.
fn check(text: &str) -> Result<(), TestCaseError> {
    let problems = match parse("any.toml", text, Path::new("/base")) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            prop_assert!(problems.errors() > 0, "refused without an error");
            problems
        }
    };
    check_places(&problems)?;
    prop_assert!(serde_json::from_str::<serde_json::Value>(&problems.render_json()).is_ok());
    let human = problems.render_human(false);
    prop_assert!(!human.chars().any(|c| c.is_control() && c != '\n'), "{human:?}");
    let github = problems.render_github();
    prop_assert_eq!(github.lines().count(), problems.len());
    Ok(())
}

fn check_places(problems: &Problems) -> Result<(), TestCaseError> {
    for problem in problems {
        let related = problem.related.iter().map(|(place, _)| place);
        for place in problem.place.iter().chain(related) {
            let length = place.source_line.chars().count();
            prop_assert!(place.line >= 1 && place.column >= 1);
            prop_assert!(place.column <= length + 1, "{place:?}");
            prop_assert!(
                place.end_column > place.column && place.end_column <= length + 2,
                "{place:?}"
            );
        }
    }
    Ok(())
}

fn good_files() -> Vec<String> {
    let folders = ["tests/good", "tests/golden"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// What mutations put into a file: the pieces that TOML and the configuration are made of.
const PIECES: [&str; 36] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\n",
    "#",
    "\\",
    "\u{0}",
    "1",
    "-",
    "true",
    "1979-05-27",
    "é",
    "日",
    "\t",
    "\r",
    "to = \"a:1\"",
    "path = \"/*\"",
    "[site.\"a\"]",
    "[[site.\"a\".routes]]",
    "routes = [",
    "limit = \"x\"",
    "tls = \"acme\"",
    "[acme]",
    "token = \"s3cret\"",
    "{ env = ",
    "{}",
    "[]",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text)?;
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        check(&text)?;
    }

    #[test]
    fn any_file_with_a_few_changes(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0..PIECES.len() + 1), 1..5),
    ) {
        let files = good_files();
        let mut text: Vec<char> = files[file.index(files.len())].chars().collect();
        for (at, cut, piece) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            let piece = PIECES.get(piece).copied().unwrap_or("");
            text.splice(at..end, piece.chars());
        }
        check(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn any_value_for_any_key(
        file in any::<prop::sample::Index>(),
        line in any::<prop::sample::Index>(),
        value in prop_oneof![
            Just("true".to_owned()), Just("[]".to_owned()), Just("{}".to_owned()), Just("[1, \"a\"]".to_owned()),
            Just("{ a = { b = 1 } }".to_owned()), Just("0x7fffffffffffffff".to_owned()), Just("-1".to_owned()),
            Just("nan".to_owned()), Just("07:32:00".to_owned()),
            "\"[a-zA-Z0-9:/.*%@ \\[\\]-]{0,20}\"",
        ],
    ) {
        let files = good_files();
        let text = &files[file.index(files.len())];
        let lines: Vec<&str> = text.lines().collect();
        prop_assume!(!lines.is_empty());
        let changed = line.index(lines.len());
        let lines = lines.iter().enumerate().map(|(index, line)| match line.split_once('=') {
            Some((key, _)) if index == changed => format!("{key}= {value}\n"),
            _ => format!("{line}\n"),
        });
        check(&lines.collect::<String>())?;
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let text = format!("server = {}{}", open.repeat(50_000), close.repeat(50_000));
        assert!(parse("deep.toml", &text, Path::new("")).is_err());
    }
    let dotted = format!("{}a = 1", "a.".repeat(50_000));
    assert!(parse("deep.toml", &dotted, Path::new("")).is_err());
}

//! Every message, word for word. `BLESS=1 cargo test -p gateway-config --test golden` writes the
//! expected files anew; read the difference before committing it.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use gateway_config::{LoadError, Problems, codes, load};

/// Relative to the package, where cargo runs tests: the names in the messages do not depend on the
/// machine.
const FOLDER: &str = "tests/golden";

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).expect("the folder of golden files");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Path::new(FOLDER).join(entry.expect("an entry").file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 30, "only {} golden files were found", files.len());
    files
}

fn problems(path: &Path) -> Problems {
    match load(path) {
        Ok(loaded) => loaded.warnings,
        Err(LoadError::Invalid(problems)) => problems,
        Err(error) => panic!("{error}"),
    }
}

/// Compares, or writes the file where `BLESS` is set.
fn compare(path: &Path, actual: &str, failures: &mut Vec<String>) {
    if env::var_os("BLESS").is_some() {
        fs::write(path, actual).expect("a golden file is written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        failures.push(format!("--- {}\n{actual}", path.display()));
    }
}

#[test]
fn every_message_is_as_expected() {
    let mut failures = Vec::new();
    for path in files() {
        let problems = problems(&path);
        assert!(!problems.is_empty(), "{} has no problem", path.display());
        compare(&path.with_extension("human"), &problems.render_human(false), &mut failures);
        compare(&path.with_extension("json"), &problems.render_json(), &mut failures);
        compare(&path.with_extension("github"), &problems.render_github(), &mut failures);
    }
    assert!(failures.is_empty(), "not as expected:\n{}", failures.join("\n"));
}

/// What stands for secrets in the golden files.
const SECRETS: [&str; 4] = ["dGhlLWtleQ", "v1.0-", "0123456789abcdef", "s3cret"];

#[test]
fn no_secret_is_ever_shown() {
    let mut tried = 0;
    for path in files() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        tried += usize::from(SECRETS.iter().any(|secret| text.contains(secret)));
        let problems = problems(&path);
        for shown in [problems.render_human(true), problems.render_json(), problems.render_github()]
        {
            let leaked = SECRETS.iter().find(|secret| shown.contains(**secret));
            assert_eq!(leaked, None, "{}:\n{shown}", path.display());
        }
    }
    assert!(tried >= 5, "only {tried} files hold secrets");
}

#[test]
fn every_code_occurs() {
    let all: BTreeSet<&str> = codes().map(|(code, _)| code).collect();
    let shown: BTreeSet<&str> = files()
        .iter()
        .flat_map(|path| problems(path).iter().map(|problem| problem.code).collect::<Vec<_>>())
        .collect();
    let missing: Vec<_> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "no golden file shows {missing:?}");
}

#[test]
fn every_error_has_a_place_and_says_what_to_do() {
    for path in files() {
        for problem in &problems(&path) {
            let what = format!("{}: {}", path.display(), problem.message);
            assert!(problem.help.is_some(), "{what}");
            assert!(problem.place.is_some() || problem.code == "no-sites", "{what}");
            assert!(!problem.message.ends_with('.'), "{what}");
        }
    }
}

#[test]
fn colours_change_nothing_else() {
    for path in files() {
        let problems = problems(&path);
        let coloured = problems.render_human(true);
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            plain.push_str(before);
            rest = after.split_once('m').expect("an SGR code ends").1;
        }
        plain.push_str(rest);
        assert_ne!(coloured, plain);
        assert_eq!(plain, problems.render_human(false));
    }
}

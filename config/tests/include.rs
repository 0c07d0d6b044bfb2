//! A configuration in several files.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails by panicking")]

use std::path::Path;

use gateway_config::model::Tls;
use gateway_config::{LoadError, Loaded, load, parse};

fn good(path: &str) -> Loaded {
    let loaded = load(Path::new(path)).expect("a good configuration");
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded
}

fn sites(loaded: &Loaded) -> Vec<String> {
    loaded.config.sites.iter().map(|site| site.name.to_string()).collect()
}

#[test]
fn what_is_included_is_added_and_each_file_once() {
    let loaded = good("tests/include/main/gateway.toml");
    assert_eq!(sites(&loaded), ["one.example", "two.example"]);
    assert_eq!(loaded.files.count(), 4);
    assert_eq!(loaded.config.limits.len(), 1);
}

#[test]
fn relative_paths_begin_at_the_folder_of_their_own_file() {
    let config = good("tests/include/main/gateway.toml").config;
    assert_eq!(config.server.storage, Path::new("tests/include/main/state"));
    assert_eq!(
        config.upstreams[0].ca.as_deref(),
        Some(Path::new("tests/include/main/backend.pem"))
    );
    let Tls::Files(files) = &config.sites[0].tls else { panic!("certificates from files") };
    assert_eq!(files[0].cert, Path::new("tests/include/main/sites/one.crt"));
    assert_eq!(files[0].key, Path::new("/etc/keys/one.key"));
}

#[test]
fn a_folder_is_every_toml_in_it() {
    let loaded = good("tests/include/folder");
    assert_eq!(sites(&loaded), ["one.example"]);
    assert_eq!(loaded.files.count(), 3);
    assert_eq!(loaded.config.server.storage, Path::new("tests/include/folder/state"));
}

#[test]
fn a_folder_without_any_cannot_be_read() {
    let error = load(Path::new("tests/include")).expect_err("no *.toml");
    assert!(matches!(error, LoadError::CannotRead { .. }));
    assert!(error.to_string().contains("the folder holds no file *.toml"), "{error}");
    let problems = error.into_problems();
    assert_eq!((problems.errors(), problems.file()), (1, "tests/include"));
}

#[test]
fn a_text_includes_from_the_folder_that_it_is_said_to_be_in() {
    let text = "include = [\"sites/*.toml\"]\n[upstream.backend]\nservers = [\"a:1\"]\n\
                [limit.api]\nrate = \"1/s\"\nburst = 1\n";
    let base = Path::new("tests/include/main");
    let loaded = parse("a text", text, base).expect("a good configuration");
    assert_eq!(sites(&loaded), ["one.example", "two.example"]);
}

#[test]
fn places_are_found_in_every_file() {
    let loaded = good("tests/include/main/gateway.toml");
    let table = loaded.files.table();
    let sites = table.get("site").and_then(|sites| sites.get_ref().as_table()).expect("sites");
    let (_, site) = sites.get_key_value("two.example").expect("a site");
    let redirect = site.get_ref().as_table().and_then(|site| site.get("redirect")).expect("a key");
    let place = loaded.files.place(&redirect.span()).expect("a place");
    let (file, line, column) = (place.file.as_str(), place.line, place.column);
    assert_eq!((file, line, column), ("tests/include/main/sites/20-two.toml", 3, 12));
}

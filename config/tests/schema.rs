//! The JSON Schema accepts what the reader accepts and refuses unknown keys and wrong types.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use gateway_config::schema::{json_schema, reference_markdown};
use gateway_config::{load, parse};
use serde_json::{Value, json};

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn json(path: &Path) -> Option<Value> {
    toml::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&json_schema()).expect("a schema")
}

#[test]
fn it_is_a_schema() {
    let schema = json_schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn it_accepts_what_the_reader_accepts() {
    let validator = validator();
    let golden = files("tests/golden").into_iter().filter(|path| load(path).is_ok());
    let good: Vec<PathBuf> = files("tests/good").into_iter().chain(golden).collect();
    assert!(good.len() > 5, "{good:?}");
    for path in good {
        let value = json(&path).expect("TOML");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
}

#[test]
fn it_refuses_what_a_schema_can_refuse() {
    let validator = validator();
    for name in [
        "unknown-key",
        "missing-key",
        "wrong-type",
        "conflicting-keys",
        "empty-list",
        "no-sites",
        "durations",
        "sizes",
        "rates",
        "choices",
        "addresses",
        "unquoted-host",
        "suffixes",
        "statuses",
    ] {
        let value = json(&Path::new("tests/golden").join(name).with_extension("toml"));
        assert!(!validator.is_valid(&value.expect("TOML")), "{name} is accepted");
    }
}

/// One good file, one value of it changed at a time: where the schema refuses, so does the reader.
#[test]
fn it_refuses_nothing_that_the_reader_accepts() {
    let validator = validator();
    let values = [
        json!(1),
        json!("x"),
        json!(true),
        json!([]),
        json!({}),
        json!("10s"),
        json!("/a"),
        json!("a:1"),
    ];
    let good = json(Path::new("tests/good/uat.toml")).expect("TOML");
    let mut pointers = Vec::new();
    collect(&good, String::new(), &mut pointers);
    let mut refused = 0;
    for pointer in &pointers {
        for value in &values {
            let mut changed = good.clone();
            *changed.pointer_mut(pointer).expect("a place") = value.clone();
            if !validator.is_valid(&changed) {
                refused += 1;
                let text = toml_text(&changed);
                let result = parse("changed.toml", &text, Path::new(""));
                assert!(
                    result.is_err(),
                    "{pointer} = {value} is refused by the schema alone:\n{text}"
                );
            }
        }
    }
    assert!(refused > 100, "only {refused} changes were refused");
}

fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let pointer = format!("{at}/{key}");
        pointers.push(pointer.clone());
        collect(value, pointer, pointers);
    }
}

/// JSON as the TOML of its top level, the rest inline.
fn toml_text(value: &Value) -> String {
    let Value::Object(map) = value else { panic!("not a table") };
    map.iter().map(|(key, value)| format!("{key} = {}\n", inline(value))).collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key:?} = {}", inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_reference_names_every_key() {
    let reference = reference_markdown();
    let policies = reference.matches("### `deny_paths`").count();
    assert_eq!(policies, 1, "the policies are described once");
    let schema = json_schema();
    let tables = schema["$defs"].as_object().expect("tables").values().chain([&schema]);
    for table in tables {
        for (key, property) in table["properties"].as_object().expect("keys") {
            assert!(reference.contains(&format!("\n### `{key}`\n")), "`{key}` is missing");
            let doc = property["description"].as_str().expect("a description");
            assert!(reference.contains(doc), "{doc}");
        }
    }
    for (code, meaning) in gateway_config::codes() {
        assert!(reference.contains(&format!("| `{code}` | {meaning} |")), "{code}");
    }
}

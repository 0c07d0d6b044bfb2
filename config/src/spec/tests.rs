//! The description holds itself to be true: every example can be read, and every default is what a
//! file without the key gets.

use std::path::Path;

use super::planned::all_planned;
use super::{KeySpec, Presence, TableSpec, tables};
use crate::{Loaded, parse};

/// A small table of each kind, as its keys and values.
fn smallest(id: &str, key: &str) -> Vec<(&'static str, &'static str)> {
    match (id, key) {
        ("server" | "headers" | "errors" | "maintenance" | "acme" | "site-acme" | "secret", _) => {
            vec![]
        }
        ("acme-directory", _) => vec![("ca", "\"https://a.example/b\"")],
        ("acme-eab", _) => vec![("key_id", "\"a\""), ("key", "{ env = \"A\" }")],
        ("dns-rfc2136", _) => vec![
            ("provider", "\"rfc2136\""),
            ("server", "\"192.0.2.1\""),
            ("key", "\"a\""),
            ("secret", "{ env = \"A\" }"),
        ],
        ("dns-cloudflare", _) => {
            vec![("provider", "\"cloudflare\""), ("token", "{ env = \"A\" }")]
        }
        ("dns-exec", _) => vec![("provider", "\"exec\""), ("command", "[\"a\"]")],
        ("tls-acme", _) => vec![("acme", "{}")],
        ("cors", _) => vec![("origins", "[\"https://c.example\"]")],
        ("cache-control", _) => vec![("suffixes", "[\".a\"]"), ("value", "\"public\"")],
        ("compress" | "compress-level", _) => vec![],
        ("files", _) => vec![("dir", "\"dist\"")],
        ("client-certs", _) => vec![("ca", "\"a\"")],
        // Exactly one of its keys is given.
        ("auth", _) => vec![],
        ("auth-basic", "users") => vec![("file", "\"a\"")],
        ("auth-basic", _) => vec![(
            "users",
            "{ a = \"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$1k1kUdKsj7LpWUgpA9S3NaYcG5TCqZiMqlD5lTfVRjc\" }",
        )],
        ("auth-forward", _) => vec![("to", "\"a:1\"")],
        ("auth-jwt", _) => {
            vec![("jwks", "\"a.json\""), ("issuer", "\"a\""), ("audience", "\"b\"")]
        }
        ("webhook", _) => vec![("provider", "\"github\""), ("secrets", "[{ env = \"A\" }]")],
        ("limit", _) => vec![("rate", "\"1/s\""), ("burst", "1")],
        ("concurrency-limit", _) => vec![("concurrent", "1")],
        ("header-key", _) => vec![("header", "\"X-A\"")],
        ("cookie-key", _) => vec![("cookie", "\"a\"")],
        ("bandwidth", _) => vec![("rate", "\"1B/s\"")],
        ("upstream", "ca") => vec![("servers", "[\"https://a\"]")],
        ("upstream", _) => vec![("servers", "[\"a:1\"]")],
        ("site", "redirect" | "files") => vec![("tls", "\"self-signed\"")],
        ("site", _) => {
            vec![("tls", "\"self-signed\""), ("routes", "[{ path = \"/*\", to = \"a:1\" }]")]
        }
        ("certificate", _) => vec![("cert", "\"a\""), ("key", "\"b\"")],
        ("route", "respond" | "redirect" | "files") => vec![("path", "\"/a/*\"")],
        ("route", _) => vec![("path", "\"/a/*\""), ("to", "\"a:1\"")],
        ("respond", _) => vec![("status", "200")],
        ("redirect", _) => vec![("to", "\"https://b.example\"")],
        (other, _) => panic!("no smallest table of kind {other}"),
    }
}

/// A whole file with one table of this kind, in which the key has this value.
fn file(spec: &TableSpec, key: &str, value: Option<&str>) -> String {
    let site = "[site.\"a.test\"]\ntls = \"self-signed\"\n";
    let limit = "[limit.api]\nrate = \"10/s\"\nburst = 20\n";
    if spec.id == "gateway" {
        let given = value.map(|value| format!("{key} = {value}\n")).unwrap_or_default();
        let needed = match key {
            "site" => String::new(),
            _ => format!("{site}redirect = \"https://b.example\"\n"),
        };
        return given + &needed;
    }
    let mut keys = smallest(spec.id, key);
    keys.retain(|(name, _)| *name != key);
    keys.extend(value.map(|value| (key, value)));
    let lines = keys.iter().map(|(name, value)| format!("{name} = {value}"));
    let lines: Vec<String> = lines.collect();
    let (rows, inline) = (lines.join("\n") + "\n", format!("{{ {} }}", lines.join(", ")));
    let routes = format!("{site}routes = [{{ path = \"/*\", to = \"a:1\" }}]\n");
    let by_acme = "[site.\"a.test\"]\ntls = \"acme\"\nredirect = \"https://b.example\"\n";
    limit.to_owned()
        + &match spec.id {
            "server" => format!("[server]\n{rows}{routes}"),
            "limit" | "concurrency-limit" => format!("[limit.x]\n{rows}{routes}"),
            "header-key" | "cookie-key" => {
                format!("[limit.x]\nconcurrent = 1\nkey = {inline}\n{routes}")
            }
            "upstream" => format!("[upstream.x]\n{rows}{routes}"),
            "site" => format!("[site.\"a.test\"]\n{rows}"),
            "acme" => format!("[acme]\n{rows}{by_acme}"),
            "acme-directory" => format!("[acme]\ndirectory = {inline}\n{by_acme}"),
            "acme-eab" => {
                format!("[acme]\ndirectory = {{ ca = \"zerossl\", eab = {inline} }}\n{by_acme}")
            }
            "secret" => format!(
                "[acme]\ndns = {{ provider = \"cloudflare\", token = {inline} }}\n{by_acme}"
            ),
            "dns-rfc2136" | "dns-cloudflare" | "dns-exec" => {
                format!("[acme]\ndns = {inline}\n{by_acme}")
            }
            "site-acme" => format!(
                "[site.\"a.test\"]\ntls = {{ acme = {inline} }}\nredirect = \"https://b.example\"\n"
            ),
            "certificate" | "tls-acme" => {
                format!("[site.\"a.test\"]\ntls = {inline}\nredirect = \"https://b.example\"\n")
            }
            "route" => format!("{site}routes = [{inline}]\n"),
            "client-certs" => {
                format!("{site}client_certs = {inline}\nredirect = \"https://b.example\"\n")
            }
            "auth" => format!("{site}auth = {inline}\nredirect = \"https://b.example\"\n"),
            "auth-basic" | "auth-forward" | "auth-jwt" => {
                let kind = spec.id.trim_start_matches("auth-");
                format!("{site}auth = {{ {kind} = {inline} }}\nredirect = \"https://b.example\"\n")
            }
            "webhook" => format!("{site}webhook = {inline}\nredirect = \"https://b.example\"\n"),
            "respond" | "redirect" | "files" => {
                format!("{site}routes = [{{ path = \"/a\", {} = {inline} }}]\n", spec.id)
            }
            "headers" | "errors" | "maintenance" | "bandwidth" | "cors" | "compress" => {
                format!("{site}{} = {inline}\nredirect = \"https://b.example\"\n", spec.id)
            }
            "cache-control" => {
                format!("{site}cache_control = [{inline}]\nredirect = \"https://b.example\"\n")
            }
            "compress-level" => format!(
                "{site}compress = {{ level = {inline} }}\nredirect = \"https://b.example\"\n"
            ),
            other => panic!("no file for a table of kind {other}"),
        }
}

fn read(text: &str, what: &str) -> Loaded {
    match parse("spec.toml", text, Path::new("/base")) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{what}:\n{problems}\nin:\n{text}"),
    }
}

fn every_key(check: impl Fn(&'static TableSpec, &'static KeySpec)) {
    for spec in tables() {
        for key in spec.keys() {
            check(spec, key);
        }
    }
}

#[test]
fn every_example_can_be_read() {
    every_key(|spec, key| {
        let what = format!("the example of `{}` in {}", key.name, spec.heading);
        read(&file(spec, key.shown_name(), Some(key.example)), &what);
    });
}

#[test]
fn every_default_is_what_a_file_without_the_key_gets() {
    every_key(|spec, key| {
        let Presence::Default(default) = key.presence else {
            return;
        };
        let what = format!("the default of `{}` in {}", key.name, spec.heading);
        let with = read(&file(spec, key.name, Some(default)), &what).config;
        let without = read(&file(spec, key.name, None), &what).config;
        assert_eq!(format!("{with:?}"), format!("{without:?}"), "{what}");
    });
}

#[test]
fn what_is_required_is_missed() {
    every_key(|spec, key| {
        let text = file(spec, key.name, None);
        if spec.id == "gateway" && key.name != "site" {
            return;
        }
        let result = parse("spec.toml", &text, Path::new("/base"));
        let required =
            matches!(key.presence, Presence::Required(_)) || spec.one_of.contains(&key.name);
        assert_eq!(result.is_err(), required, "`{}` in {}:\n{text}", key.name, spec.heading);
    });
}

#[test]
fn planned_keys_are_refused_with_a_sentence_of_their_own() {
    for (id, key) in all_planned() {
        let spec = tables().into_iter().find(|spec| spec.id == id).expect(id);
        assert!(spec.key(key).is_none(), "`{key}` is there and planned in {}", spec.heading);
        let text = file(spec, key, Some("{ x = 1 }"));
        let problems = parse("spec.toml", &text, Path::new("/base")).expect_err(key);
        assert_eq!(problems.len(), 1, "{problems}");
        let code = problems.iter().next().map(|problem| problem.code);
        assert_eq!(code, Some("not-in-this-version"), "{problems}");
    }
}

#[test]
fn every_table_and_key_is_told_apart() {
    let mut ids: Vec<&str> = tables().iter().map(|spec| spec.id).collect();
    assert_eq!(ids.len(), 36, "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 36, "{ids:?}");
    for spec in tables() {
        let mut names: Vec<&str> = spec.keys().map(|key| key.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{} has a key twice", spec.heading);
    }
}

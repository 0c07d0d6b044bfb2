//! `gateway check-config` without `--live` and `--compose`.

use crate::harness::{Folder, UAT};

const BROKEN: &str = r#"
[server]
trusted-proxies = ["cloudflare"]

[site."app.example.com"]
tls = "self-signd"
routes = [
  { path = "/*", to = "frontend:3000", body = "10M" },
  { path = "/*", to = "other:3000" },
]
"#;

const WORTH_A_WORD: &str = r#"
[server]
admin = "0.0.0.0:9180"

[upstream.forgotten]
servers = ["backend:8000"]

[site."app.example.com"]
tls = "self-signed"
routes = [{ path = "/*", to = "frontend:3000" }]
"#;

#[test]
fn a_good_file_is_one_line_whatever_it_names() {
    // None of its certificates, names and folders exists here.
    let folder = Folder::with_config(UAT);
    folder.run(&["check-config"]).exits_with(0).is("check-config/good");
    folder.run(&["check-config", "--format", "json"]).exits_with(0).is("check-config/good-json");
    folder
        .run(&["check-config", "--format", "github"])
        .exits_with(0)
        .is("check-config/good-github");
}

#[test]
fn every_problem_is_shown_at_once_in_every_format() {
    let folder = Folder::with_config(BROKEN);
    folder.run(&["check-config"]).exits_with(1).is("check-config/broken");
    folder.run(&["check-config", "--format", "json"]).exits_with(1).is("check-config/broken-json");
    folder
        .run(&["check-config", "--format", "github"])
        .exits_with(1)
        .is("check-config/broken-github");
}

#[test]
fn warnings_leave_a_file_good() {
    let folder = Folder::with_config(WORTH_A_WORD);
    folder.run(&["check-config"]).exits_with(0).is("check-config/warnings");
    folder
        .run(&["check-config", "--format", "json"])
        .exits_with(0)
        .is("check-config/warnings-json");
}

#[test]
fn a_file_that_cannot_be_read_is_another_exit_code() {
    let folder = Folder::new();
    folder.run(&["check-config", "missing.toml"]).exits_with(2).is("check-config/missing");
    for format in ["json", "github"] {
        let run = folder.run(&["check-config", "missing.toml", "--format", format]);
        run.exits_with(2).is(&format!("check-config/missing-{format}"));
    }
    folder.run(&["check-config", "."]).exits_with(2).is("check-config/folder");
}

#[test]
fn the_file_can_be_named_as_other_commands_name_it() {
    let folder = Folder::new();
    folder.write("other.toml", UAT);
    let named = folder.run(&["check-config", "--config", "other.toml"]);
    assert_eq!(named.stdout, folder.run(&["check-config", "other.toml"]).stdout);
    named.exits_with(0);
    folder
        .run(&["check-config", "a.toml", "--config", "b.toml"])
        .exits_with(2)
        .is("check-config/two-files");
}

#[test]
fn a_format_that_is_none_is_a_usage_error() {
    Folder::new().run(&["check-config", "--format", "xml"]).exits_with(2).is("check-config/format");
}

/// Logs of CI are public: a secret in the file is shown in no format.
#[test]
fn a_secret_in_the_file_is_not_shown() {
    let folder = Folder::with_config(
        "[acme]\ndns = { provider = \"cloudflare\", token = \"v1.0-0123456789\" }\n\
         [site.\"*.example.com\"]\ntls = \"acme\"\n\
         routes = [{ path = \"/*\", to = \"app:3000\" }]\n",
    );
    for format in ["human", "json", "github"] {
        let run = folder.run(&["check-config", "--format", format]);
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("0123"), "{format}");
        run.exits_with(1).is(&format!("check-config/secret-{format}"));
    }
}

const SITE: &str =
    "[site.\"a.test\"]\ntls = \"self-signed\"\nroutes = [{ path = \"/*\", to = \"app:3000\" }]\n";

#[test]
fn several_files_are_one_configuration() {
    let folder = Folder::with_config("include = [\"sites/*.toml\"]\n");
    folder.write("sites/a.toml", SITE);
    folder.write("conf.d/10-server.toml", "[server]\nstorage = \"state\"\n");
    folder.write("conf.d/20-a.toml", SITE);
    folder.run(&["check-config"]).exits_with(0).is("check-config/included");
    folder.run(&["check-config", "conf.d"]).exits_with(0).is("check-config/conf.d");
    for arguments in [
        &["explain", "https://a.test/x"][..],
        &["explain", "--config", "conf.d", "https://a.test/x"],
    ] {
        let run = folder.run(arguments);
        assert!(run.exits_with(0).stdout.contains("app:3000"), "{}", run.stdout);
    }
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_of_that_file() {
    let folder = Folder::with_config("include = [\"sites/*.toml\"]\n");
    folder.write("sites/a.toml", SITE);
    folder.write("sites/b.toml", &SITE.replace("a.test", "b.test").replace("tls", "tsl"));
    folder.run(&["check-config"]).exits_with(1).is("check-config/included-broken");
    for format in ["json", "github"] {
        let run = folder.run(&["check-config", "--format", format]);
        run.exits_with(1).is(&format!("check-config/included-broken-{format}"));
    }
    folder.write(
        "sites/b.toml",
        "[server]\nhttp = []\nhttps = [\"127.0.0.1:0\"]\nadmin = \"off\"\nstorage = \"state\"\n",
    );
    let tls = "tls = { cert = \"a.pem\", key = \"a.key\" }";
    folder.write("sites/a.toml", &SITE.replace("tls = \"self-signed\"", tls));
    let run = folder.run(&["check-config", "--live"]).exits_with(1).stderr.clone();
    assert!(run.contains("--> sites/a.toml:2:"), "{run}");
}

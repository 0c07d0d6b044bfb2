//! `gateway acme doctor`, where nobody needs to be connected to.

use crate::harness::Folder;

const SITE: &str = "[server]\nstorage = \"state\"\n\n[site.\"example.com\"]\ntls = \"self-signed\"\n\
                    routes = [{ path = \"/*\", to = \"127.0.0.1:3000\" }]\n";

#[test]
fn a_domain_without_acme() {
    let folder = Folder::with_config(SITE);
    folder.run(&["acme", "doctor", "example.com"]).exits_with(1).is("acme-doctor/self-signed");
    folder
        .run(&["acme", "doctor", "https://www.example.com/"])
        .exits_with(1)
        .is("acme-doctor/unknown");
    let json = folder.run(&["acme", "doctor", "example.com", "--json"]);
    json.exits_with(1).is("acme-doctor/json");
}

#[test]
fn without_a_configuration_nothing_is_looked_at() {
    let folder = Folder::new();
    let run = folder.run(&["acme", "doctor", "a.test", "--config", "missing.toml"]);
    run.exits_with(2).is("acme-doctor/missing");
    folder.run(&["acme", "doctor", "a b"]).exits_with(2).is("acme-doctor/no-domain");
}

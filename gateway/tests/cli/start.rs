//! `gateway run`, where it cannot start.

use std::net::TcpListener;

use crate::harness::Folder;
use crate::harness::certs::issue;

fn config(tls: &str) -> String {
    format!(
        "[server]\nhttp = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\nstorage = \"state\"\n\n\
         [site.\"app.example.com\"]\ntls = {tls}\nroutes = [{{ path = \"/*\", respond = {{ status = 200 }} }}]\n"
    )
}

const FILES: &str = "{ cert = \"app.pem\", key = \"app.key\" }";

#[test]
fn an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut folder =
        Folder::with_config(&config("\"self-signed\"").replacen("127.0.0.1:0", &address, 1));
    folder.hide(&address, "ADDRESS");
    folder.run_freely(&["run"]).exits_with(1).is("run/address-in-use");
}

#[test]
fn certificates_that_are_missing_or_of_another_key() {
    let folder = Folder::with_config(&config(FILES));
    folder.run(&["run"]).exits_with(1).is("run/missing-certificate");
    let (cert, _) = issue(&["app.example.com"], 3000);
    folder.write_certificate("app", &(cert, issue(&["app.example.com"], 3000).1));
    let run = folder.run(&["run"]);
    run.exits_with(1).is("run/key-of-another");
    assert!(!run.stderr.contains("PRIVATE"), "{}", run.stderr);
}

#[test]
fn a_storage_folder_that_is_none() {
    let folder = Folder::with_config(&config("\"self-signed\""));
    folder.write("state", "in the way");
    folder.run(&["run"]).exits_with(1).is("run/storage");
}

#[test]
fn roots_of_an_upstream_that_are_missing() {
    let upstream =
        "\n[upstream.billing]\nservers = [\"https://billing.example.net\"]\nca = \"ca.pem\"\n";
    let text = config("\"self-signed\"").replace("respond = { status = 200 }", "to = \"billing\"");
    let folder = Folder::with_config(&format!("{text}{upstream}"));
    folder.run_freely(&["run"]).exits_with(1).is("run/missing-roots");
}

#[test]
fn configurations_with_mistakes() {
    let folder = Folder::with_config(&config("\"self-signed\"").replace("storage", "storag"));
    folder.run(&["run"]).exits_with(1).is("run/unknown-key");
    folder.run(&["run", "--config", "missing.toml"]).exits_with(2).is("run/missing-config");
}

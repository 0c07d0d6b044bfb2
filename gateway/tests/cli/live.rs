//! `gateway check-config --live`.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::harness::certs::issue;
use crate::harness::server::Running;
use crate::harness::{Folder, dns};

fn server() -> String {
    let dns = dns::start();
    format!(
        "[server]\nhttp = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
         storage = \"state\"\ndns = [\"{dns}\"]\n"
    )
}

const SELF_SIGNED: &str = "
[site.\"app.example.com\"]
tls = \"self-signed\"
routes = [{ path = \"/*\", to = \"backend:8000\" }]
";

#[test]
fn a_machine_that_is_fit_to_serve() {
    let folder = Folder::with_config(&format!("{}{SELF_SIGNED}", server()));
    folder.run(&["check-config", "--live"]).exits_with(0).is("live/good");
}

#[test]
fn everything_that_is_wrong_is_shown_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = format!(
        "{}{SELF_SIGNED}\n[upstream.billing]\nservers = [\"https://backend:443\"]\nca = \"missing-ca.pem\"\n\
         \n[site.\"files.example.com\"]\ntls = [\n  {{ cert = \"missing.pem\", key = \"missing.key\" }},\n]\n\
         routes = [\n  {{ path = \"/*\", to = \"nowhere:80\" }},\n  {{ path = \"/billing/*\", to = \"billing\" }},\n]\n",
        server().replacen("127.0.0.1:0", &address, 1)
    );
    let mut folder = Folder::with_config(&text);
    folder.write("state", "in the way");
    folder.hide(&address, "ADDRESS");
    let dns = text.split("dns = [\"").nth(1).unwrap().split('"').next().unwrap();
    folder.hide(dns, "DNS");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/broken");
    folder
        .run(&["check-config", "--live", "--format", "json"])
        .exits_with(1)
        .is("live/broken-json");
    folder
        .run(&["check-config", "--live", "--format", "github"])
        .exits_with(1)
        .is("live/broken-github");
    // Without --live nobody looks.
    folder.run(&["check-config"]).exits_with(0);
}

fn with_files(names: &[&str]) -> Folder {
    let pairs: Vec<String> = names
        .iter()
        .map(|name| format!("{{ cert = \"{name}.pem\", key = \"{name}.key\" }}"))
        .collect();
    Folder::with_config(&format!(
        "{}\n[site.\"app.example.com\"]\ntls = [{}]\nroutes = [{{ path = \"/*\", to = \"backend:8000\" }}]\n",
        server(),
        pairs.join(", ")
    ))
}

#[test]
fn certificates_that_cannot_be_served() {
    let mismatch = with_files(&["app"]);
    let (cert, _) = issue(&["app.example.com"], 3000);
    mismatch.write_certificate("app", &(cert, issue(&["app.example.com"], 3000).1));
    mismatch.run(&["check-config", "--live"]).exits_with(1).is("live/key-of-another");

    let expired = with_files(&["app"]);
    expired.write_certificate("app", &issue(&["app.example.com"], 2001));
    expired.run(&["check-config", "--live"]).exits_with(1).is("live/expired");

    let uncovered = with_files(&["app"]);
    uncovered.write_certificate("app", &issue(&["other.example.com"], 3000));
    uncovered.run(&["check-config", "--live"]).exits_with(1).is("live/uncovered");
}

#[test]
fn certificates_that_deserve_a_look() {
    let folder = with_files(&["app", "unused"]);
    folder.write_certificate("app", &issue(&["app.example.com"], 3000));
    folder.write_certificate("unused", &issue(&["other.example.com"], 3000));
    let key = folder.path().join("app.key");
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    folder.run(&["check-config", "--live"]).exits_with(0).is("live/certificate-risk");
}

const BY_ACME: &str = "
[acme]
ca = \"ca.pem\"
directory = [
  { ca = \"https://one.example.com/dir\", eab = { key_id = \"kid-1\", key = { file = \"eab.key\" } } },
  { ca = \"https://two.example.com/dir\", roots = \"own.pem\" },
  \"https://three.example.com/dir\",
]
dns = { provider = \"cloudflare\", token = { env = \"GATEWAY_TEST_TOKEN\" } }

[site.\"*.example.com\"]
tls = \"acme\"
routes = [{ path = \"/*\", to = \"backend:8000\" }]
";

#[test]
fn secrets_and_roots_that_cannot_be_read() {
    let folder = Folder::with_config(&format!("{}{BY_ACME}", server()));
    folder.write("own.pem", "no certificate");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/secrets");
    folder.write("eab.key", "\n");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/secrets-empty");
    // Without --live no secret is read.
    folder.run(&["check-config"]).exits_with(0);
    // Nobody reads what no site needs; the warning is the file's own.
    let unused = Folder::with_config(
        &format!("{}{BY_ACME}", server()).replace("\"acme\"", "\"self-signed\""),
    );
    unused.run(&["check-config", "--live"]).exits_with(0).is("live/secrets-unused");
}

#[test]
fn a_folder_for_certificates_by_acme_that_is_none() {
    let site = SELF_SIGNED.replace("\"self-signed\"", "\"acme\"");
    let folder = Folder::with_config(&format!("{}{site}", server()));
    folder.write("state/acme", "in the way");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/acme-storage");
    // Nobody looks where no site needs it.
    folder.write("gateway.toml", &format!("{}{SELF_SIGNED}", server()));
    folder.run(&["check-config", "--live"]).exits_with(0).is("live/good");
}

#[test]
fn folders_that_cannot_be_served() {
    let folder = Folder::with_config(&format!(
        "{}\n[site.\"app.example.com\"]\ntls = \"self-signed\"\nroutes = [\n  \
         {{ path = \"/a/*\", files = \"missing\" }},\n  {{ path = \"/b/*\", files = {{ dir = \"file\" }} }},\n  \
         {{ path = \"/c/*\", files = \".\" }},\n]\n[site.\"b.example.com\"]\n\
         tls = \"self-signed\"\nfiles = \"gone\"\n",
        server()
    ));
    folder.write("file", "no folder");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/folders");
    // Without --live nobody looks.
    folder.run(&["check-config"]).exits_with(0);
}

#[test]
fn secrets_and_roots_that_can_be_read() {
    let rfc2136 = "dns = { provider = \"rfc2136\", server = \"192.0.2.53\", key = \"a\", secret = { file = \"eab.key\" } }\n";
    let lines = BY_ACME.lines().map(|line| match line.starts_with("dns = ") {
        true => rfc2136.to_owned(),
        false => format!("{line}\n"),
    });
    let folder = Folder::with_config(&format!("{}{}", server(), lines.collect::<String>()));
    folder.write("eab.key", "c2VjcmV0\n");
    let (root, _) = issue(&["ca.example.com"], 3000);
    folder.write("ca.pem", &root);
    folder.write("own.pem", &root);
    folder.run(&["check-config", "--live"]).exits_with(0).is("live/good");
}

#[test]
fn a_gateway_that_runs_already_is_no_error() {
    let folder = Folder::with_config(&format!("{}{SELF_SIGNED}", server()));
    let running = Running::start(&folder);
    let mut text = format!("{}{SELF_SIGNED}", server());
    let mut next = Folder::new();
    for listener in ["http", "https", "admin"] {
        let address = running.address(listener).to_string();
        text = text.replacen("127.0.0.1:0", &address, 1);
        next.hide(&address, listener);
    }
    next.write("gateway.toml", &text);
    next.run(&["check-config", "--live"]).exits_with(0).is("live/already-running");
}

#[test]
fn pages_for_errors_that_cannot_be_read() {
    let site = SELF_SIGNED.replace(
        "routes",
        "errors = { 404 = \"errors/404.html\", 5xx = \"./errors/50x.html\" }\n\
         maintenance = { page = \"work.txt\" }\nroutes",
    );
    let folder = Folder::with_config(&format!("{}{site}", server()));
    folder.write("errors/50x.html", "<h1>Sorry</h1>");
    folder.write("work.txt", &"x".repeat(300 * 1024));
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/error-pages");
    folder.write("errors/404.html", "<h1>Lost</h1>");
    folder.write("work.txt", "Back at noon.");
    folder.run(&["check-config", "--live"]).exits_with(0).is("live/good");
    // Without --live no page is read.
    std::fs::remove_file(folder.path().join("work.txt")).unwrap();
    folder.run(&["check-config"]).exits_with(0);
}

#[test]
fn what_guards_read() {
    let folder = Folder::with_config(&format!(
        "{}
[site.\"app.example.com\"]
tls = \"self-signed\"
auth = {{ basic = {{ file = \"htpasswd\" }} }}
routes = [
  {{ path = \"/hook\", respond = {{ status = 200 }}, webhook = {{ provider = \"github\", secrets = [{{ file = \"hook\" }}, {{ env = \"GATEWAY_TEST_UNSET\" }}] }} }},
  {{ path = \"/api/*\", respond = {{ status = 200 }}, auth = {{ jwt = {{ jwks = \"keys.json\", issuer = \"a\", audience = \"b\" }} }} }},
  {{ path = \"/*\", respond = {{ status = 200 }} }},
]
[site.\"b.example.com\"]
tls = \"self-signed\"
client_certs = {{ ca = \"clients.pem\" }}
redirect = \"https://app.example.com\"
",
        server()
    ));
    folder.write("htpasswd", "alice:hunter2\n");
    folder.write("keys.json", "{}");
    folder.run(&["check-config", "--live"]).exits_with(1).is("live/guards");
    folder.run(&["check-config"]).exits_with(0);
}

//! `gateway certs`.

mod import;
pub(crate) mod list;
mod revoke;

use serde_json::Value;

use crate::harness::Folder;

/// Two sites whose certificates come by ACME, one of them with both kinds of keys.
pub(crate) const BY_ACME: &str = r#"[server]
storage = "state"

[acme]
contact = ["mailto:ops@example.com"]

[site."example.com"]
tls = "acme"
aliases = ["www.example.com"]
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]

[site."a-much-longer-name.shop.example.com"]
tls = { acme = { keys = "both" } }
routes = [{ path = "/*", respond = { status = 200, body = "here" } }]
"#;

/// Where each certificate of a configuration is kept, relative to the folder.
pub(crate) fn kept_in(folder: &Folder) -> Vec<String> {
    let run = folder.run(&["certs", "list", "--json"]);
    let list: Value = serde_json::from_str(&run.exits_with(0).stdout).unwrap();
    let files = list["certificates"].as_array().unwrap().iter();
    let files = files.filter(|row| row["source"] == "acme");
    let relative = |row: &Value| row["file"].as_str().unwrap().replace("[DIR]/", "");
    files.map(relative).collect()
}

/// Keeps a certificate and its key as the gateway does.
pub(crate) fn keep(folder: &Folder, file: &str, (cert, key): &(String, String)) {
    folder.write(file, &format!("{key}{cert}"));
}

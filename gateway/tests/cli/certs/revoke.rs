//! `gateway certs revoke`, where nobody needs to be asked. The rest is in `front_door`.

use super::{BY_ACME, keep, kept_in};
use crate::harness::Folder;
use crate::harness::certs::issue;

#[test]
fn what_cannot_be_revoked() {
    let folder = Folder::with_config(&format!(
        "{BY_ACME}\n[site.\"localhost\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", respond = {{ status = 200, body = \"here\" }} }}]\n"
    ));
    folder.run(&["certs", "revoke", "exmaple.com"]).exits_with(2).is("certs/revoke-no-site");
    folder.run(&["certs", "revoke", "localhost"]).exits_with(2).is("certs/revoke-local");
    folder.run(&["certs", "revoke", "example.com"]).exits_with(1).is("certs/revoke-nothing");
    let reason = ["certs", "revoke", "example.com", "--reason", "boredom"];
    folder.run(&reason).exits_with(2).is("certs/revoke-reason");

    let file = &kept_in(&folder)[0];
    keep(&folder, file, &issue(&["example.com", "www.example.com"], 3000));
    folder.run(&["certs", "revoke", "example.com"]).exits_with(1).is("certs/revoke-imported");
    folder.write(
        &file.replace(".pem", ".json"),
        r#"{ "issued_by": "https://acme-v02.api.letsencrypt.org/directory" }"#,
    );
    folder.run(&["certs", "revoke", "example.com"]).exits_with(1).is("certs/revoke-no-account");
}

//! Certificates by ACME, from a real CA: pebble, with whatever it has against the gateway.

mod by_hand;
mod doctor;
mod first_issue;
mod many;
mod reloading;
mod renewal;

#[path = "../../../../acme/tests/harness/pebble/mod.rs"]
mod pebble;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use pebble::{Options, Pebble};

use crate::harness::gateway::Gateway;
use crate::harness::tls_client::{Secure, Tls};
use crate::harness::{answering_site_with, config, within_time};

/// How long a certificate may take to come: a few seconds of validation, on a busy machine.
const ISSUE: Duration = Duration::from_secs(60);

/// A pebble as CAs are: it refuses half of the nonces, and now and then takes a second to come and
/// look.
fn as_cas_are() -> Options {
    Options { rejected_nonces: 50, validation_sleep: Some(2), ..Options::default() }
}

/// `[acme]` with pebble as the only CA, and `keys` besides.
fn acme(pebble: &Pebble, keys: &str) -> String {
    format!(
        "[acme]\ncontact = [\"mailto:ops@example.com\"]\n\
         directory = {{ ca = \"{}\", roots = \"{}\" }}\n{keys}\n",
        pebble.directory_url(),
        pebble.ca_file().display()
    )
}

/// A site whose certificates come by ACME.
fn site(name: &str) -> String {
    answering_site_with(name, "tls = \"acme\"")
}

/// A program that changes pebble's DNS by its interface, as `[acme]` wants it.
fn dns_hook(pebble: &Pebble, dir: &Path) -> String {
    let script = format!(
        "#!/bin/sh\nexec curl -fsS -d \"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}}\" \
         http://{}/$([ \"$1\" = set ] && echo set-txt || echo clear-txt)\n",
        pebble.names_addr()
    );
    let file = dir.join("dns-hook");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("dns = {{ provider = \"exec\", command = [\"{}\"] }}", file.display())
}

/// A gateway whose listeners pebble's validations come to.
async fn gateway(pebble: &Pebble, rest: &str) -> Gateway {
    let dns = format!("dns = [\"{}\"]", pebble.dns_addr());
    let gateway = Gateway::start(&config(&dns, rest)).await;
    pebble.http_at(gateway.http());
    pebble.tls_at(gateway.https());
    gateway
}

/// Connects until the certificate for a name is one of pebble's.
async fn issued(gateway: &Gateway, pebble: &Pebble, name: &str) -> Secure {
    let tls = Tls::trusting(&pebble.root_pem().await);
    within_time(&format!("a certificate for {name}"), ISSUE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            if let Ok(secure) = tls.try_connect(gateway.https(), name).await {
                return secure;
            }
        }
    })
    .await
}

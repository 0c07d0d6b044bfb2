//! Configurations of any size.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::bench::certificate::NAME;
use crate::bench::ground::Ground;

/// What the certificate must be valid for besides [`NAME`].
pub(super) const WILDCARD: &str = "*.scale.localhost";

/// Routes of each site.
pub(super) const ROUTES: u32 = 10;

/// How large a configuration is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Configuration {
    /// Sites, each with [`ROUTES`] routes. The first is the one that is asked.
    pub(super) sites: u32,
    /// Worker threads.
    pub(super) workers: usize,
    /// Connections that may be open.
    pub(super) connections: u64,
}

impl Configuration {
    pub(super) fn text(&self, https: SocketAddr, ground: &Ground) -> String {
        let Self { sites, workers, connections } = self;
        let mut text = format!(
            r#"[server]
http = []
https = ["{https}"]
admin = "off"
storage = "state"
workers = {workers}
max_connections = {connections}
max_connections_per_client = {connections}
keepalive = "1h"

[limit.web]
rate = "1000000/s"
burst = 1000000
"#
        );
        for site in 0..*sites {
            self.site(&mut text, site, ground);
        }
        text
    }

    fn site(&self, text: &mut String, site: u32, ground: &Ground) {
        let name = if site == 0 { NAME.to_owned() } else { format!("s{site}.scale.localhost") };
        let (cert, key) = (ground.certificate.chain.display(), ground.certificate.key.display());
        // Writing to a String cannot fail.
        _ = write!(
            text,
            "[site.\"{name}\"]\ntls = {{ cert = \"{cert}\", key = \"{key}\" }}\nheaders = \"app\"\n\
             limit = \"web\"\nroutes = [\n  {{ path = \"/*\", to = \"{}\" }},\n",
            ground.origin,
        );
        for route in 1..ROUTES {
            _ = writeln!(
                text,
                "  {{ path = \"{}/*\", to = \"{}\" }},",
                prefix(route),
                ground.origin
            );
        }
        text.push_str("]\n");
    }
}

fn prefix(route: u32) -> String {
    format!("/page/section-{route}")
}

/// A path for each of the first site's routes.
pub(super) fn paths() -> Vec<String> {
    (1..ROUTES).map(|route| format!("{}/item", prefix(route))).chain(["/".into()]).collect()
}

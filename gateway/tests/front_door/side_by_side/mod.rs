//! The gateway and the nginx that it replaces, side by side: the same requests are sent to both, in
//! front of the same origins, with configurations that mean the same.
//!
//! What they answer differently is held in `differences.txt`, each line below the row of the old front
//! door that it belongs to, and below the mistake of the old one that explains it. A row without a
//! mistake may have no difference, and a mistake that makes none is not shown.

mod nginx;
mod observe;
mod origins;
mod replay;
mod script;

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use nginx::Nginx;
use origins::Origins;
use replay::Front;
use script::{Request, Section};

use hyper::StatusCode;

use crate::harness::certs::{Authority, Kind};
use crate::harness::dns::Dns;
use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::{config as config_with, skipped};

/// Where the two configurations, the requests and the differences are.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/front_door/side_by_side");

/// Every host that the requests name and that is a site.
const HOSTS: [&str; 7] = [
    "hooks.familycart.app",
    "uat.familycart.app",
    "uat2.familycart.app",
    "familycart.app",
    "grafana.familycart.app",
    "familycart.cz",
    "familycart.sk",
];

#[tokio::test]
async fn the_differences_are_the_old_one_s_mistakes() {
    if !nginx::is_installed() {
        skipped("the replay beside nginx", "nginx is not installed (Debian: .ci/prepare compare)");
        return;
    }
    let sections = script::read(&read("requests.txt"));
    let count: usize = sections.iter().map(|section| section.requests.len()).sum();
    assert!(count >= 180, "only {count} requests");
    let origins = Origins::start().await;
    let certificate = Authority::new().issue(&HOSTS, Kind::Ecdsa);

    let old = folder();
    certificate.write(old.path(), "sites");
    let old = Nginx::start(old, &origins.fill(&read("old.conf"))).await;
    let new = folder();
    certificate.write(new.path(), "sites");
    std::fs::write(new.path().join("hook-secret"), "It's a Secret to Everybody").unwrap();
    let new = Gateway::start_in(new, &origins.fill(&read("new.toml"))).await;
    let before = Front { http: old.http, https: old.https };
    let now = Front { http: new.http(), https: new.https() };
    check(&compare(&sections, &before, &now).await);
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(FILES).join(file)).unwrap()
}

/// Sends every request to both, and writes down what differs.
async fn compare(sections: &[Section], old: &Front, new: &Front) -> String {
    let mut report = Report::default();
    let mut number = 0;
    for section in sections {
        let mut lines = Vec::new();
        for request in &section.requests {
            // Nobody's limit counts anybody else's requests.
            number += 1;
            let source = format!("127.1.{}.{}", number / 200, 1 + number % 200);
            let (before, now) = (old.ask(request, &source).await, new.ask(request, &source).await);
            let found = before.differences(&now).into_iter();
            let new: Vec<_> = found.filter(|line| report.is_new(section, request, line)).collect();
            if !new.is_empty() {
                lines.push(format!("{}\n    {}\n", request.text, new.join("\n    ")));
            }
        }
        report.add(section, &lines.concat());
    }
    assert!(report.unexplained.is_empty(), "no mistake is known for this:\n{}", report.unexplained);
    report.explained
}

/// What was found.
#[derive(Default)]
struct Report {
    explained: String,
    unexplained: String,
    /// Differences of every answer of a host, which are shown once.
    of_sites: HashSet<(String, String)>,
}

impl Report {
    /// Whether a difference is not one that every answer of the host has, and that has been shown.
    fn is_new(&mut self, section: &Section, request: &Request, line: &str) -> bool {
        let of_site = (request.host.clone(), line.to_owned());
        match &section.mistake {
            Some(mistake) if mistake.everywhere => self.of_sites.insert(of_site),
            _ => !self.of_sites.contains(&of_site),
        }
    }

    fn add(&mut self, section: &Section, shown: &str) {
        let row = &section.row;
        // Writing to a String cannot fail.
        let _ = match &section.mistake {
            None if shown.is_empty() => Ok(()),
            None => writeln!(self.unexplained, "[{row}]\n{shown}"),
            Some(_) if shown.is_empty() => {
                writeln!(self.unexplained, "[{row}]\nno request shows its mistake\n")
            }
            Some(mistake) => {
                writeln!(self.explained, "[{row}]\nmistake: {}\n{shown}", mistake.text)
            }
        };
    }
}

/// Compares with the file, or writes it where `BLESS` is set.
fn check(found: &str) {
    let file = Path::new(FILES).join("differences.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(found, expected, "BLESS=1 writes {} anew", file.display());
}

/// The row "upstream": names are resolved once, at the start.
#[tokio::test]
async fn one_name_that_does_not_resolve_stops_the_old_one_alone() {
    if !nginx::is_installed() {
        skipped(
            "an unknown name beside nginx",
            "nginx is not installed (Debian: .ci/prepare compare)",
        );
        return;
    }
    let origin = Origin::text("served").await;
    // No name server has to be asked to know that this is none.
    let config = format!(
        "daemon off;\n@user@\npid nginx.pid;\nevents {{}}\nhttp {{\n    server {{\n        listen @http@;\n        \
         location / {{ proxy_pass http://{}; }}\n        \
         location /other {{ proxy_pass http://no-such-container..test:8000; }}\n    }}\n}}\n",
        origin.addr()
    );
    let said = Nginx::fail(folder(), &config).await;
    assert!(said.contains("host not found in upstream"), "{said}");

    let dns = Dns::start().await;
    let site = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n  {{ path = \"/*\", to = \"{}\" }},\n  \
         {{ path = \"/other\", to = \"no-such-container.test:8000\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config_with(&dns.key(), &site)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    assert_eq!(http.get("/").await.text(), "served");
    assert_eq!(http.get("/other").await.status, StatusCode::BAD_GATEWAY);
}

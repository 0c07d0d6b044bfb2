//! Many names at once.

use std::fmt::Write;
use std::time::Duration;

use super::{Pebble, acme, as_cas_are, gateway, pebble};
use crate::harness::answering_site_with;
use crate::harness::http_client::Http;
use crate::harness::within_time;

const NAMES: usize = 1000;

#[tokio::test]
async fn a_thousand_names_in_one_start() {
    if !pebble::is_installed("a thousand certificates") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let mut aliases = String::new();
    for number in 1..NAMES {
        write!(aliases, "\"n{number}.a.test\", ").unwrap();
    }
    let site = answering_site_with(
        "n0.a.test",
        &format!("tls = {{ acme = {{ certificate_per = \"host\" }} }}\naliases = [{aliases}]"),
    );
    let rest = acme(&pebble, "challenges = [\"http-01\"]") + &site;
    let gateway = gateway(&pebble, &rest).await;
    let mut admin = Http::plain(gateway.admin(), "localhost").await;
    within_time("a thousand certificates", Duration::from_secs(600), async {
        let mut pause = tokio::time::interval(Duration::from_millis(500));
        loop {
            pause.tick().await;
            if admin.get("/readyz").await.text() == "ready\n" {
                return;
            }
        }
    })
    .await;
    let events = gateway.events();
    assert_eq!(events.matches("\"acme_issued\"").count(), NAMES);
    assert_eq!(events.matches("\"acme_failed\"").count(), 0);
    // One account, and never more than eight orders at a time.
    let log = pebble.log();
    assert!(log.contains("There are now 1 accounts in memory") && !log.contains("now 2 accounts"));
    assert!(most_at_once(&events) <= 8, "{}", most_at_once(&events));
}

fn most_at_once(events: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for line in events.lines() {
        if line.contains("\"acme_trying\"") {
            now += 1;
            most = most.max(now);
        } else if line.contains("\"acme_issued\"") {
            now -= 1;
        }
    }
    most
}

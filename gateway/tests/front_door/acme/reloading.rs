//! Names that come and go with a reload.

use std::time::Duration;

use super::{ISSUE, Options, Pebble, acme, as_cas_are, gateway, issued, pebble, site};
use crate::harness::gateway::Gateway;
use crate::harness::{answering_site, config, within_time};
use crate::reloading::reloaded;

fn toml(pebble: &Pebble, rest: &str) -> String {
    config(&format!("dns = [\"{}\"]", pebble.dns_addr()), rest)
}

/// Waits until an event of a kind has been told so many times.
async fn told(gateway: &Gateway, event: &str, times: usize) {
    let needle = format!("\"event\":\"{event}\"");
    within_time(&format!("{times} events {event}"), ISSUE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        while gateway.events().matches(&needle).count() < times {
            pause.tick().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_site_that_is_new_gets_its_certificate_and_the_others_keep_theirs() {
    if !pebble::is_installed("a certificate after a reload") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let first = acme(&pebble, "") + &site("a.test");
    let gateway = gateway(&pebble, &first).await;
    let one = issued(&gateway, &pebble, "a.test").await;
    reloaded(&gateway, &toml(&pebble, &(first.clone() + &site("b.test")))).await;
    issued(&gateway, &pebble, "b.test").await;
    let same = issued(&gateway, &pebble, "a.test").await;
    assert_eq!(same.facts.certificate, one.facts.certificate);
    // A site that is taken away and comes back is served with what it had.
    reloaded(&gateway, &toml(&pebble, &first)).await;
    reloaded(&gateway, &toml(&pebble, &(first + &site("b.test")))).await;
    issued(&gateway, &pebble, "b.test").await;
    told(&gateway, "acme_issued", 2).await;
    assert_eq!(gateway.events().matches("\"event\":\"acme_issued\"").count(), 2);
    assert!(!gateway.events().contains("acme_failed"), "{}", gateway.events());
    assert!(!gateway.events().contains("acme_another_process"), "{}", gateway.events());
}

#[tokio::test]
async fn the_first_site_that_wants_one_may_come_with_a_reload() {
    if !pebble::is_installed("a first certificate after a reload") {
        return;
    }
    let pebble = Pebble::start(as_cas_are()).await;
    let gateway = gateway(&pebble, &answering_site("plain.test")).await;
    let rest = acme(&pebble, "") + &answering_site("plain.test") + &site("a.test");
    reloaded(&gateway, &toml(&pebble, &rest)).await;
    issued(&gateway, &pebble, "a.test").await;
}

#[tokio::test]
async fn an_order_that_is_under_way_is_not_cut_off() {
    if !pebble::is_installed("an order during a reload") {
        return;
    }
    let slow = Options { validation_sleep: Some(4), ..Options::default() };
    let pebble = Pebble::start(slow).await;
    let first = acme(&pebble, "challenges = [\"http-01\"]") + &site("a.test");
    let gateway = gateway(&pebble, &first).await;
    told(&gateway, "acme_trying", 1).await;
    reloaded(&gateway, &toml(&pebble, &(first + &site("b.test")))).await;
    issued(&gateway, &pebble, "a.test").await;
    issued(&gateway, &pebble, "b.test").await;
    let events = gateway.events();
    assert_eq!(events.matches("\"event\":\"acme_trying\"").count(), 2, "{events}");
    assert!(!events.contains("acme_failed"), "{events}");
}

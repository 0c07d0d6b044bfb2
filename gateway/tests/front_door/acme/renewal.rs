//! A renewal while requests come all the time.
//!
//! What nginx did: a script that renewed and reloaded, and users who found out when it had not.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{StatusCode, Version};

use super::{Options, Pebble, acme, as_cas_are, gateway, issued, pebble, site};
use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::tls_client::Tls;
use crate::harness::within_time;

#[tokio::test]
async fn no_request_fails_on_either_protocol() {
    if !pebble::is_installed("a renewal under load") {
        return;
    }
    // Renewed after 12 to 13 seconds.
    let pebble = Pebble::start(Options { validity: Some(20), ..as_cas_are() }).await;
    let rest = acme(&pebble, "challenges = [\"http-01\"]") + &site("a.test");
    let gateway = gateway(&pebble, &rest).await;
    let first = issued(&gateway, &pebble, "a.test").await.facts.certificate;

    let root = pebble.root_pem().await;
    let (renewed, requests) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = async |version: Version| {
        // One connection that lives through the renewal, and new ones all the time.
        let mut kept = connect(&gateway, &root, version).await;
        while !renewed.load(Relaxed) {
            for http in [&mut kept, &mut connect(&gateway, &root, version).await] {
                let reply = http.get("/").await;
                assert_eq!(reply.status, StatusCode::OK);
                requests.fetch_add(1, Relaxed);
            }
        }
        assert_eq!(kept.get("/").await.status, StatusCode::OK, "the connection from before it");
    };
    let watch = within_time("a renewal", Duration::from_secs(60), async {
        let tls = Tls::trusting(&root);
        while tls.connect(gateway.https(), "a.test").await.facts.certificate == first {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        renewed.store(true, Relaxed);
    });
    tokio::join!(load(Version::HTTP_11), load(Version::HTTP_2), watch);
    assert!(requests.load(Relaxed) > 100, "{requests:?}");
    assert!(!gateway.events().contains("acme_failed"), "{}", gateway.events());
}

async fn connect(gateway: &Gateway, root: &str, version: Version) -> Http {
    let tls = Tls::trusting(root);
    let tls = if version == Version::HTTP_11 { tls.alpn(&["http/1.1"]) } else { tls.alpn(&["h2"]) };
    Http::connect(&tls, gateway.https(), "a.test").await
}

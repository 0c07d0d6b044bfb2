//! RFC 2136 at a name server that does as it is asked.

use gateway_acme::dns::{DnsError, UpdateError};

use crate::named::{KEYS, Named};
use crate::{ONE, TWO, ignorant, record};

const NS: &str = "@ NS ns1\nns1 A 127.0.0.1\n";
const NAME: &str = "_acme-challenge.example.test";

#[tokio::test]
async fn values_come_and_go_side_by_side() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    for (key, ..) in &KEYS[..3] {
        let provider = named.provider(key, ignorant().await);
        let (one, two) = (record(NAME, ONE), record(NAME, TWO));
        provider.set(&one).await.unwrap();
        assert_eq!(named.texts(NAME), [ONE], "{key}");
        provider.set(&two).await.unwrap();
        assert_eq!(named.texts(NAME), [TWO, ONE], "{key}");
        // Once more changes nothing.
        provider.set(&two).await.unwrap();
        assert_eq!(named.texts(NAME), [TWO, ONE], "{key}");
        provider.remove(&one).await.unwrap();
        assert_eq!(named.texts(NAME), [TWO], "{key}");
        provider.remove(&one).await.unwrap();
        provider.remove(&two).await.unwrap();
        assert_eq!(named.texts(NAME), [""; 0], "{key}");
    }
}

#[tokio::test]
async fn many_at_the_same_time() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let provider = std::sync::Arc::new(named.provider("edge", ignorant().await));
    let mut changes = tokio::task::JoinSet::new();
    for number in 0..10 {
        let provider = provider.clone();
        changes.spawn(async move { provider.set(&record(NAME, &number.to_string())).await });
    }
    assert!(changes.join_all().await.iter().all(Result::is_ok));
    assert_eq!(named.texts(NAME).len(), 10);
}

#[tokio::test]
async fn the_zone_is_the_longest_that_is_served() {
    let zones = [("example.test", NS), ("deep.example.test", NS)];
    let Some(named) = Named::start(&zones) else { return };
    let provider = named.provider("edge", ignorant().await);
    for name in ["_acme-challenge.a.b.example.test", "_acme-challenge.a.deep.example.test"] {
        provider.set(&record(name, ONE)).await.unwrap();
        assert_eq!(named.texts(name), [ONE]);
    }
}

#[tokio::test]
async fn an_alias_that_the_server_knows() {
    let alias = format!("{NS}_acme-challenge.www CNAME www.held.test.\n");
    let zones = [("example.test", &*alias), ("held.test", NS)];
    let Some(named) = Named::start(&zones) else { return };
    let provider = named.provider("edge", ignorant().await);
    let www = record("_acme-challenge.www.example.test", ONE);
    provider.set(&www).await.unwrap();
    assert_eq!(named.texts("www.held.test"), [ONE]);
    provider.remove(&www).await.unwrap();
    assert_eq!(named.texts("www.held.test"), [""; 0]);
}

#[tokio::test]
async fn an_alias_that_only_the_others_know() {
    let alias = format!("{NS}_acme-challenge CNAME example.held.test.\n");
    let Some(public) = Named::start(&[("example.test", &alias)]) else { return };
    let Some(named) = Named::start(&[("held.test", NS)]) else { return };
    let provider = named.provider("edge", public.address);
    provider.set(&record(NAME, ONE)).await.unwrap();
    assert_eq!(named.texts("example.held.test"), [ONE]);
}

#[tokio::test]
async fn aliases_that_lead_in_a_circle() {
    let circle = format!("{NS}_acme-challenge CNAME b\nb CNAME _acme-challenge\n");
    let Some(named) = Named::start(&[("example.test", &circle)]) else { return };
    let error = named.provider("edge", ignorant().await).set(&record(NAME, ONE)).await.unwrap_err();
    assert!(matches!(&error, DnsError::Aliases { name } if name == NAME), "{error:?}");
}

#[tokio::test]
async fn a_secret_is_read_at_each_use() {
    let Some(named) = Named::start(&[("example.test", NS)]) else { return };
    let provider = named.provider_with("edge", "hmac-sha256", "AAAA", ignorant().await);
    let error = provider.set(&record(NAME, ONE)).await.unwrap_err();
    assert!(matches!(error, DnsError::Update(UpdateError::WrongSecret { .. })), "{error:?}");
    std::fs::write(named.dir.path().join("edge.secret"), KEYS[0].2).unwrap();
    provider.set(&record(NAME, ONE)).await.unwrap();
    assert_eq!(named.texts(NAME), [ONE]);
}

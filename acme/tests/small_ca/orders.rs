//! From an order to a certificate, or not.

use std::net::Ipv4Addr;
use std::time::Duration;

use instant_acme::{Error, Identifier, NewOrder, OrderStatus, RevocationRequest};

use super::{Set, new_year, one, validity, with_clock};
use crate::harness::account::{self, is_problem};
use crate::harness::issue;
use crate::harness::small_ca::{Kind, Settings, Validation};

#[tokio::test]
async fn a_certificate_by_http_01() {
    let (settings, clock) = with_clock(new_year());
    let set = Set::start(settings).await;
    let names = issue::names(&["a.test", "b.test"]);
    let issued = set.issue(&NewOrder::new(&names)).await.unwrap();
    let (start, end) = validity(&issued);
    assert_eq!(start, 1_893_456_000);
    assert_eq!(end - start, 90 * 24 * 3600 - 1);
    for name in ["a.test", "b.test"] {
        set.check(&issued, name, new_year()).unwrap();
    }
    let last = new_year() + Duration::from_secs(90 * 24 * 3600 - 1);
    set.check(&issued, "a.test", last).unwrap();
    set.check(&issued, "a.test", last + Duration::from_secs(1)).unwrap_err();

    assert_eq!(set.ca.count(Kind::NewOrder), 1);
    assert_eq!(set.ca.count(Kind::Finalize), 1);
    assert_eq!(set.ca.issued().len(), 1);
    *clock.lock().unwrap() = last;
    set.issue_one().await.unwrap();
    let seen = set.ca.seen();
    let orders: Vec<_> = seen.iter().filter(|it| it.kind == Kind::NewOrder).collect();
    assert_eq!([orders[0].at, orders[1].at], [new_year(), last]);
    assert_eq!(orders[1].account.as_deref(), Some(set.account.id()));
    assert_eq!(orders[1].status, Some(201));
    assert_eq!(orders[1].payload["identifiers"][0]["value"], "a.test");
}

#[tokio::test]
async fn a_challenge_without_its_answer_fails() {
    let set = Set::start(Settings::default()).await;
    let names = one();
    let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
    let nothing = async |_: &str, _: &str, _| ();
    issue::authorize(&mut order, instant_acme::ChallengeType::Http01, nothing).await.unwrap();
    assert_eq!(order.poll_ready(&issue::polling()).await.unwrap(), OrderStatus::Invalid);
    assert!(order.state().error.is_none(), "as with Let's Encrypt");
    let mut authorizations = order.authorizations();
    let mut authorization = authorizations.next().await.unwrap().unwrap();
    let challenges = &authorization.refresh().await.unwrap().challenges;
    let error = challenges.iter().find_map(|it| it.error.as_ref()).unwrap();
    assert!(error.detail.as_ref().unwrap().contains("404"), "{error:?}");
}

#[tokio::test]
async fn only_what_is_ready_is_finalized_and_only_for_its_names() {
    let set = Set::start(Settings::default()).await;
    let names = one();
    let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
    let csr = issue::request(vec!["a.test".to_owned()]);
    let error = order.finalize_csr(&csr).await.unwrap_err();
    assert!(is_problem(&error, "orderNotReady"), "{error:?}");

    issue::authorize_by_http(&mut order, &set.responder).await.unwrap();
    order.poll_ready(&issue::polling()).await.unwrap();
    let other = issue::request(vec!["b.test".to_owned()]);
    let error = order.finalize_csr(&other).await.unwrap_err();
    assert!(is_problem(&error, "badCSR"), "{error:?}");
    order.finalize_csr(&csr).await.unwrap();
}

#[tokio::test]
async fn an_order_is_processing_for_a_while() {
    let set = Set::start(Settings { processing_looks: 2, ..Settings::default() }).await;
    let names = one();
    let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
    issue::authorize_by_http(&mut order, &set.responder).await.unwrap();
    order.poll_ready(&issue::polling()).await.unwrap();
    order.finalize_csr(&issue::request(vec!["a.test".to_owned()])).await.unwrap();
    for status in [OrderStatus::Processing, OrderStatus::Processing, OrderStatus::Valid] {
        assert_eq!(order.refresh().await.unwrap().status, status);
    }
}

#[tokio::test]
async fn valid_authorizations_are_reused() {
    let set = Set::start(Settings { reuses_authorizations: true, ..Settings::default() }).await;
    set.issue_one().await.unwrap();
    set.issue_one().await.unwrap();
    assert_eq!(set.ca.count(Kind::Challenge), 1);
}

#[tokio::test]
async fn profiles() {
    let set = Set::start(Settings::default()).await;
    assert_eq!(set.account.profiles().count(), 3);
    let names = one();
    for (profile, hours) in [("classic", 90 * 24), ("tlsserver", 45 * 24), ("shortlived", 160)] {
        let issued = set.issue(&NewOrder::new(&names).profile(profile)).await.unwrap();
        let (start, end) = validity(&issued);
        assert_eq!(end - start, hours * 3600 - 1, "{profile}");
    }
    let error = set.issue(&NewOrder::new(&names).profile("gold")).await.unwrap_err();
    assert!(is_problem(&error, "invalidProfile"), "{error:?}");

    let address = [Identifier::Ip(Ipv4Addr::LOCALHOST.into())];
    let error = set.issue(&NewOrder::new(&address)).await.unwrap_err();
    assert!(is_problem(&error, "rejectedIdentifier"), "{error:?}");
    let issued = set.issue(&NewOrder::new(&address).profile("shortlived")).await.unwrap();
    set.check(&issued, "127.0.0.1", std::time::SystemTime::now()).unwrap();
}

#[tokio::test]
async fn wildcards_have_dns_01_alone() {
    let set = Set::start(Settings::default()).await;
    set.ca.set(|settings| settings.validation = Validation::Always);
    let names = issue::names(&["*.a.test"]);
    let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
    let nothing = async |_: &str, _: &str, _| ();
    issue::authorize(&mut order, instant_acme::ChallengeType::Dns01, nothing).await.unwrap();
    let issued = issue::finish(&mut order).await.unwrap();
    set.check(&issued, "www.a.test", std::time::SystemTime::now()).unwrap();
}

#[tokio::test]
async fn only_the_owner_looks_and_revokes() {
    let set = Set::start(Settings::default()).await;
    let issued = set.issue_one().await.unwrap();
    let other = account::create(&set.ca.directory_url(), None).await;
    let url = set.ca.directory_url().replace("directory", "order/0");
    let error = other.order(url).await.err().unwrap();
    assert!(is_problem(&error, "unauthorized"), "{error:?}");

    let revocation = || RevocationRequest { certificate: &issued.chain[0], reason: None };
    let error = other.revoke(&revocation()).await.unwrap_err();
    assert!(is_problem(&error, "unauthorized"), "{error:?}");
    set.account.revoke(&revocation()).await.unwrap();
    assert!(set.ca.issued()[0].1);
    let error = set.account.revoke(&revocation()).await.unwrap_err();
    assert!(is_problem(&error, "alreadyRevoked"), "{error:?}");
}

#[tokio::test]
async fn what_is_forgotten_is_unknown() {
    let set = Set::start(Settings::default()).await;
    set.ca.forget();
    let error = set.issue_one().await.unwrap_err();
    assert!(matches!(error, Error::Api(_)));
    assert!(is_problem(&error, "accountDoesNotExist"), "{error:?}");
}

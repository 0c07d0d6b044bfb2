//! Renewal information, and orders that replace.

use std::time::{Duration, SystemTime};

use instant_acme::{CertificateIdentifier, Error, NewOrder, RevocationRequest};

use super::{Set, new_year, one, with_clock};
use crate::harness::account::{self, is_problem};
use crate::harness::issue::{self, Issued};
use crate::harness::small_ca::{Kind, RetryAfter, Settings};

fn id(issued: &Issued) -> CertificateIdentifier<'static> {
    CertificateIdentifier::try_from(&issued.chain[0]).unwrap().into_owned()
}

#[tokio::test]
async fn a_window_is_suggested() {
    let (settings, _) = with_clock(new_year());
    let set = Set::start(settings).await;
    let issued = set.issue_one().await.unwrap();
    let (info, again) = set.account.renewal_info(&id(&issued)).await.unwrap();
    let [start, end] = [info.suggested_window.start, info.suggested_window.end]
        .map(|time| SystemTime::from(time).duration_since(new_year()).unwrap());
    let day = Duration::from_secs(24 * 3600);
    assert!(start > 59 * day && start < end && end < 62 * day, "{start:?} {end:?}");
    assert!(again > 5 * day / 24 && again <= 6 * day / 24, "{again:?}");
    assert_eq!(info.explanation_url, None);

    set.ca.set(|settings| {
        settings.renewal_window = Some((new_year() + day, new_year() + 2 * day));
        settings.explanation_url = Some("https://example.org/why".to_owned());
        let later = SystemTime::now() + Duration::from_secs(600);
        settings.renewal_retry_after = Some(RetryAfter::Date(later));
    });
    let (info, again) = set.account.renewal_info(&id(&issued)).await.unwrap();
    assert_eq!(SystemTime::from(info.suggested_window.start), new_year() + day);
    assert_eq!(SystemTime::from(info.suggested_window.end), new_year() + 2 * day);
    assert_eq!(info.explanation_url.as_deref(), Some("https://example.org/why"));
    assert!(again > Duration::from_secs(500) && again <= Duration::from_secs(600), "{again:?}");
    assert_eq!(set.ca.count(Kind::RenewalInfo), 2);
}

#[tokio::test]
async fn what_was_revoked_is_to_be_renewed_at_once() {
    let set = Set::start(Settings::default()).await;
    let issued = set.issue_one().await.unwrap();
    let certificate = &issued.chain[0];
    set.account.revoke(&RevocationRequest { certificate, reason: None }).await.unwrap();
    let (info, _) = set.account.renewal_info(&id(&issued)).await.unwrap();
    let end = SystemTime::from(info.suggested_window.end);
    assert!(end <= SystemTime::now() + Duration::from_secs(1));
}

#[tokio::test]
async fn unknown_certificates_and_an_old_ca() {
    let set = Set::start(Settings::default()).await;
    let issued = set.issue_one().await.unwrap();
    set.ca.forget();
    set.account.renewal_info(&id(&issued)).await.unwrap_err();
    let old = Set::start(Settings { renewal_info: false, ..Settings::default() }).await;
    let error = old.account.renewal_info(&id(&issued)).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_is_replaced_once() {
    let set = Set::start(Settings::default()).await;
    let old = id(&set.issue_one().await.unwrap());
    let names = one();
    let replacing = || NewOrder::new(&names).replaces(old.clone());

    let others = issue::names(&["b.test"]);
    let error = set.issue(&NewOrder::new(&others).replaces(old.clone())).await.unwrap_err();
    assert!(is_problem(&error, "malformed"), "{error:?}");
    let other = account::create(&set.ca.directory_url(), None).await;
    let error = other.new_order(&replacing()).await.err().unwrap();
    assert!(is_problem(&error, "unauthorized"), "{error:?}");

    // instant-acme itself looks whether the order says so.
    let mut order = set.account.new_order(&replacing()).await.unwrap();
    issue::authorize_by_http(&mut order, &set.responder).await.unwrap();
    let new = id(&issue::finish(&mut order).await.unwrap());
    let error = set.issue(&replacing()).await.unwrap_err();
    assert!(is_problem(&error, "alreadyReplaced"), "{error:?}");
    assert_eq!(set.ca.seen().iter().filter(|it| it.status == Some(409)).count(), 1);
    set.issue(&NewOrder::new(&names).replaces(new)).await.unwrap();
}

#[tokio::test]
async fn an_invalid_order_replaces_nothing() {
    let set = Set::start(Settings::default()).await;
    let old = id(&set.issue_one().await.unwrap());
    let names = one();
    let replacing = || NewOrder::new(&names).replaces(old.clone());
    let mut order = set.account.new_order(&replacing()).await.unwrap();
    let nothing = async |_: &str, _: &str, _| ();
    issue::authorize(&mut order, instant_acme::ChallengeType::Http01, nothing).await.unwrap();
    order.poll_ready(&issue::polling()).await.unwrap();
    set.issue(&replacing()).await.unwrap();
}

//! Renewals: when they come, and what the CA is told.

use std::time::Duration;

use gateway_config::model::AcmeKeys;

use crate::rig::with_ca;
use crate::small_ca::{Answer, Kind, Problem, Trouble};

/// The life of each profile's certificates, in hours, as Let's Encrypt has them.
const PROFILES: [(&str, u64); 3] =
    [("classic", 90 * 24), ("tlsserver", 45 * 24), ("shortlived", 160)];

#[tokio::test]
async fn at_two_thirds_of_the_life_whatever_its_length() {
    for (profile, hours) in PROFILES {
        let (mut rig, ca) = with_ca(|settings| settings.renewal_info = false).await;
        rig.certificate.profile = Some(profile.into());
        rig.run(async {
            rig.told("acme_issued", 1).await;
            let first = rig.served();
            let life = first[0].not_after().duration_since(first[0].not_before()).unwrap();
            assert!(life.as_secs().abs_diff(hours * 3600) <= 3600, "{profile}: {life:?}");
            rig.pass(hours * 3600 * 58 / 100);
            rig.decided().await;
            assert_eq!(ca.count(Kind::NewOrder), 1, "{profile}: too early");
            rig.pass(hours * 3600 * 9 / 100);
            rig.told("acme_issued", 2).await;
            assert_ne!(rig.served()[0].serial(), first[0].serial());
        })
        .await;
    }
}

#[tokio::test]
async fn when_the_ca_says_so_and_with_what_it_replaces() {
    let (rig, ca) = with_ca(|settings| {
        settings.explanation_url = Some("https://ca.test/incident".into());
    })
    .await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        rig.until("the first question", || (ca.count(Kind::RenewalInfo) > 0).then_some(())).await;
        let asked = ca.count(Kind::RenewalInfo);
        let past = rig.now() - Duration::from_secs(3600);
        ca.set(|settings| settings.renewal_window = Some((past, past + Duration::from_secs(60))));
        rig.pass(5 * 3600);
        rig.decided().await;
        assert_eq!(ca.count(Kind::RenewalInfo), asked, "before Retry-After is over");
        rig.pass(3600);
        rig.told("acme_issued", 2).await;
        let text = rig.told.last("acme_brought_forward").unwrap();
        assert!(text.contains("https://ca.test/incident"), "{text}");
    })
    .await;
    let orders: Vec<_> = ca.seen().into_iter().filter(|seen| seen.kind == Kind::NewOrder).collect();
    assert!(orders[0].payload.get("replaces").is_none());
    assert!(orders[1].payload["replaces"].is_string(), "{:?}", orders[1].payload);
}

#[tokio::test]
async fn one_that_the_ca_takes_for_replaced_is_renewed_all_the_same() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let replaced = Problem::new(409, "alreadyReplaced", "it has been replaced already");
        ca.next(Kind::NewOrder, Trouble::Answer(Answer::from(replaced)));
        rig.pass_days(62);
        rig.told("acme_issued", 2).await;
    })
    .await;
    let orders: Vec<_> = ca.seen().into_iter().filter(|seen| seen.kind == Kind::NewOrder).collect();
    assert_eq!(orders.len(), 3);
    assert!(orders[2].payload.get("replaces").is_none(), "{:?}", orders[2].payload);
    assert_eq!(rig.told.count("acme_failed"), 0);
}

#[tokio::test]
async fn keys_of_both_kinds_side_by_side() {
    let (mut rig, _ca) = with_ca(|_| {}).await;
    rig.certificate.keys = AcmeKeys::Both;
    rig.run(async {
        rig.told("acme_issued", 2).await;
        let kinds: Vec<_> =
            rig.served().iter().map(|certificate| certificate.key_kind().to_string()).collect();
        assert_eq!(kinds, ["ECDSA", "RSA"]);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_certified_in_the_profile_for_addresses() {
    let (mut rig, ca) = with_ca(|_| {}).await;
    rig.hosts = vec!["192.0.2.1"];
    rig.run(rig.told("acme_issued", 1)).await;
    let order = ca.seen().into_iter().find(|seen| seen.kind == Kind::NewOrder).unwrap();
    assert_eq!(order.payload["profile"], "shortlived");
}

#[tokio::test]
async fn a_restart_goes_on_with_what_was_won() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(rig.told("acme_issued", 1)).await;
    let first = rig.served();
    for _ in 0..3 {
        let again = rig.again();
        drop(again.keeper().unwrap());
        assert_eq!(again.served()[0].serial(), first[0].serial(), "served before it runs");
        again.run(again.decided()).await;
    }
    assert_eq!((ca.count(Kind::NewOrder), ca.count(Kind::NewAccount)), (1, 1));
}

#[tokio::test]
async fn a_ca_that_does_not_say_when_to_ask_again_or_says_nonsense() {
    let (rig, ca) = with_ca(|settings| settings.renewal_retry_after = None).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        let asked = async |times| {
            rig.until("a question", || (ca.count(Kind::RenewalInfo) >= times).then_some(())).await;
        };
        asked(1).await;
        let begin = rig.now();
        ca.set(|settings| settings.renewal_window = Some((begin, begin - Duration::from_secs(9))));
        // Six hours, as the RFC says, and a little more, since questions come in groups.
        rig.pass(6 * 3600 + 660);
        asked(2).await;
        rig.told("acme_not_suggested", 1).await;
        let text = rig.told.last("acme_not_suggested").unwrap();
        assert!(text.contains("a window that ends after it begins"), "{text}");
        // Its own schedule goes on, and the silence is told of once.
        rig.pass(86_400);
        asked(3).await;
        rig.pass(86_400);
        // Whoever asks once more has heard the answer before.
        asked(4).await;
        assert_eq!(rig.told.count("acme_not_suggested"), 1);
        rig.pass_days(61);
        rig.told("acme_issued", 2).await;
    })
    .await;
}

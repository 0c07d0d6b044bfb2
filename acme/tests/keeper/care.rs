//! Care for the CA: what it is not asked.

use std::time::Duration;

use crate::rig::{Rig, directory, with_ca};
use crate::small_ca::{Answer, Kind, Problem, RetryAfter, Settings, SmallCa, Trouble};

#[tokio::test]
async fn a_limit_is_obeyed_for_as_long_as_it_says() {
    for after in [
        RetryAfter::Seconds(7200),
        RetryAfter::Date(std::time::SystemTime::now() + Duration::from_secs(7200)),
    ] {
        let (rig, ca) = with_ca(|_| {}).await;
        ca.next(Kind::NewOrder, Trouble::Answer(Answer::rate_limited(after)));
        rig.run(async {
            rig.told("acme_failed", 1).await;
            rig.pass(7100);
            rig.decided().await;
            assert_eq!(ca.count(Kind::NewOrder), 1, "too early");
            rig.pass(200);
            rig.told("acme_issued", 1).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_name_that_fails_is_tried_less_and_less() {
    let (rig, ca) = with_ca(|_| {}).await;
    let refused = Problem::new(403, "incorrectResponse", "not what was expected");
    ca.always(Kind::Challenge, Trouble::Invalid(refused));
    rig.run(async {
        rig.told("acme_failed", 1).await;
        let mut a_day = Vec::new();
        for _ in 0..4 {
            let before = ca.count(Kind::NewOrder);
            for _ in 0..48 {
                rig.pass(1800);
                rig.decided().await;
            }
            a_day.push(ca.count(Kind::NewOrder) - before);
        }
        assert!(a_day[0] <= 9, "{a_day:?} attempts a day");
        assert!(a_day[2] + a_day[3] <= 3, "{a_day:?} attempts a day");
        assert!(a_day[2] + a_day[3] >= 1, "{a_day:?}: it never gives up");
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_over_and_over_does_not_order_over_and_over() {
    let (rig, ca) = with_ca(|_| {}).await;
    ca.always(Kind::Finalize, Trouble::Stall);
    for start in 0..20 {
        let orders = ca.count(Kind::Finalize);
        let again = rig.again();
        again
            .run(async {
                if start == 0 {
                    again
                        .until("finalize", || (ca.count(Kind::Finalize) > orders).then_some(()))
                        .await;
                } else {
                    again.decided().await;
                }
            })
            .await;
    }
    assert_eq!(ca.count(Kind::NewOrder), 1);
    // The order of the first is gone on with.
    ca.calm();
    rig.pass(120);
    rig.run(rig.told("acme_issued", 1)).await;
    assert_eq!(ca.count(Kind::NewOrder), 1);
}

#[tokio::test]
async fn where_one_ca_is_in_trouble_the_next_is_asked() {
    for trouble in [
        Trouble::Answer(Answer::html(500)),
        Trouble::Answer(Answer::unavailable(RetryAfter::Seconds(3600))),
        Trouble::Reset,
        Trouble::Answer(Answer::empty(404)),
    ] {
        let (first, second) =
            (SmallCa::start(Settings::default()).await, SmallCa::start(Settings::default()).await);
        first.always(Kind::NewOrder, trouble);
        let directories =
            [&first, &second].map(|ca| directory(ca.directory_url(), None)).into_iter().collect();
        let rig = Rig::new(directories);
        rig.run(rig.told("acme_issued", 1)).await;
        assert_eq!((first.count(Kind::NewOrder), second.count(Kind::NewOrder)), (1, 1));
    }
}

#[tokio::test]
async fn a_ca_that_is_out_is_asked_by_one_for_all() {
    let (mut rig, ca) = with_ca(|_| {}).await;
    rig.hosts = vec!["a.test", "b.test", "c.test", "d.test"];
    rig.certificate.per = gateway_config::model::CertificatePer::Host;
    ca.set_outage(true);
    rig.run(async {
        rig.told("acme_failed", 1).await;
        for _ in 0..30 {
            rig.pass(120);
            rig.decided().await;
        }
    })
    .await;
    let attempts = rig.told.count("acme_failed");
    assert!((2..=10).contains(&attempts), "{attempts} attempts in an hour");
}

#[tokio::test]
async fn an_account_that_the_ca_has_forgotten_is_made_again() {
    let (rig, ca) = with_ca(|_| {}).await;
    rig.run(async {
        rig.told("acme_issued", 1).await;
        ca.forget();
        rig.pass_days(62);
        rig.told("acme_issued", 2).await;
    })
    .await;
    assert_eq!(ca.count(Kind::NewAccount), 2);
}

#[tokio::test]
async fn bad_nonces_are_no_failure() {
    let (rig, ca) = with_ca(|_| {}).await;
    ca.set(|settings| settings.refused_nonces = 25);
    rig.run(rig.told("acme_issued", 1)).await;
    assert_eq!(rig.told.count("acme_failed"), 0);
}

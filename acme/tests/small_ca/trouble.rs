//! Trouble on demand.

use std::time::{Duration, SystemTime};

use instant_acme::{Error, NewOrder};

use super::{Set, one};
use crate::harness::account::is_problem;
use crate::harness::issue;
use crate::harness::small_ca::{Answer, Kind, Problem, RetryAfter, Settings, Trouble};

#[tokio::test]
async fn rate_limits_and_maintenance() {
    let set = Set::start(Settings::default()).await;
    let date = RetryAfter::Date(SystemTime::now() + Duration::from_secs(60));
    for after in [RetryAfter::Seconds(60), date] {
        set.ca.next(Kind::NewOrder, Trouble::Answer(Answer::rate_limited(after)));
        set.ca.next(Kind::NewOrder, Trouble::Answer(Answer::unavailable(after)));
        let error = set.issue_one().await.unwrap_err();
        assert!(is_problem(&error, "rateLimited"), "{error:?}");
        let error = set.issue_one().await.unwrap_err();
        assert!(is_problem(&error, "serverInternal"), "{error:?}");
    }
    set.issue_one().await.unwrap();
    let seen = set.ca.seen();
    let orders = seen.iter().filter(|it| it.kind == Kind::NewOrder).filter_map(|it| it.status);
    assert_eq!(orders.collect::<Vec<_>>(), [429, 503, 429, 503, 201]);
}

#[tokio::test]
async fn what_is_no_acme() {
    let set = Set::start(Settings::default()).await;
    set.ca.next(Kind::NewOrder, Trouble::Answer(Answer::html(500)));
    set.ca.next(Kind::NewOrder, Trouble::Reset);
    for _ in 0..2 {
        let error = set.issue_one().await.unwrap_err();
        assert!(!matches!(error, Error::Api(_)), "{error:?}");
    }
    set.ca.always(Kind::Order, Trouble::Stall);
    let names = one();
    let order = NewOrder::new(&names);
    let stalled = tokio::time::timeout(Duration::from_millis(200), set.issue(&order)).await;
    assert!(stalled.is_err());
    set.ca.calm();
    set.issue_one().await.unwrap();
}

#[tokio::test]
async fn an_outage_ends() {
    let set = Set::start(Settings::default()).await;
    set.ca.set_outage(true);
    set.issue_one().await.unwrap_err();
    set.ca.set_outage(false);
    set.issue_one().await.unwrap();
}

#[tokio::test]
async fn orders_become_invalid_with_subproblems() {
    let set = Set::start(Settings::default()).await;
    let problem = Problem::new(403, "caa", "CAA forbids some of these")
        .with_subproblem("a.test", "caa", "CAA record for a.test prevents issuance")
        .with_subproblem("b.test", "dns", "SERVFAIL looking up CAA for b.test");
    for kind in [Kind::Order, Kind::Finalize] {
        set.ca.next(kind, Trouble::Invalid(problem.clone()));
        let Err(Error::Api(error)) = set.issue_one().await else { panic!("{kind:?}") };
        assert_eq!(error.subproblems.len(), 2, "{error:?}");
    }
    set.ca.next(Kind::Challenge, Trouble::Invalid(problem));
    set.issue_one().await.unwrap_err();
    set.issue_one().await.unwrap();
}

#[tokio::test]
async fn finalize_says_not_ready() {
    let set = Set::start(Settings::default()).await;
    let problem = Problem::new(403, "orderNotReady", "not yet");
    set.ca.next(Kind::Finalize, Trouble::Answer(problem.into()));
    let names = one();
    let mut order = set.account.new_order(&NewOrder::new(&names)).await.unwrap();
    issue::authorize_by_http(&mut order, &set.responder).await.unwrap();
    let error = issue::finish(&mut order).await.unwrap_err();
    assert!(is_problem(&error, "orderNotReady"), "{error:?}");
    issue::finish(&mut order).await.unwrap();
}

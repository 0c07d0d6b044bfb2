//! A stack that is stopped and comes back.

use crate::certificates::serials;
use crate::docker::text;
use crate::project::Stack;
use crate::until::until;
use crate::visitor::DOMAIN;

pub(crate) fn nothing_is_lost(stack: &Stack, list: &str) {
    stack.step("deploy/down uat, then deploy/up uat");
    let path = format!("/api/v1/lists/{list}");
    let before = stack.visit(DOMAIN, &path, &[]);
    assert_eq!(before.0, 200, "{}", before.1);
    assert!(before.1.contains("bread-of-the-test"), "{}", before.1);
    let serials_before = serials(stack);
    stack.good("down", &["uat"]);
    assert_eq!(stack.services(), Vec::<String>::new(), "deploy/down leaves services behind");
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
    until("the list is there", 30, || stack.get(DOMAIN, &path) == 200);
    assert_eq!(stack.visit(DOMAIN, &path, &[]).1, before.1, "the list is another one");
    // The ACME server began anew and would have other roots: what is served was not ordered again.
    assert_eq!(serials(stack), serials_before, "certificates were ordered again");
    eprintln!("the list and {} certificates are as they were", serials_before.len());
}

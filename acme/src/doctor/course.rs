//! How far an examination is.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::finding::{Check, DNS_01, Finding, HTTP_01, TLS_ALPN_01, VISITS};

/// Is told what is still looked at.
type Tell<'t> = &'t mut dyn FnMut(&[Check]);

/// What was found, and what is still looked at. What was found stays found when the time is over.
pub(super) struct Course<'t> {
    findings: RefCell<Vec<Finding>>,
    open: RefCell<BTreeSet<Check>>,
    /// Is told what is still looked at.
    tell: RefCell<Tell<'t>>,
}

impl<'t> Course<'t> {
    pub(super) fn new(open: impl IntoIterator<Item = Check>, tell: Tell<'t>) -> Self {
        let course = Self {
            findings: RefCell::default(),
            open: RefCell::new(open.into_iter().collect()),
            tell: RefCell::new(tell),
        };
        course.tell();
        course
    }

    pub(super) fn done(&self, check: Check, findings: Vec<Finding>) {
        self.findings.borrow_mut().extend(findings);
        self.open.borrow_mut().remove(&check);
        self.tell();
    }

    fn tell(&self) {
        let open: Vec<_> = self.open.borrow().iter().copied().collect();
        (self.tell.borrow_mut())(&open);
    }

    /// Everything that was found; where the time is `over`, also what was not found out in it.
    pub(super) fn end(self, over: Option<Duration>) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        if let Some(limit) = over {
            findings.extend(self.open.into_inner().into_iter().map(|it| unfinished(it, limit)));
        }
        findings
    }
}

pub(super) fn unfinished(check: Check, limit: Duration) -> Finding {
    let what = format!("Not found out within {} s.", limit.as_secs());
    let advice = "Call this again; if it stays, name servers do not answer: see `dns` in [server] and /etc/resolv.conf.";
    let problem = Finding::problem(check, what.clone(), advice);
    match check {
        Check::Addresses => problem.of(VISITS),
        Check::Http01 => problem.of(HTTP_01),
        Check::TlsAlpn01 => problem.of(TLS_ALPN_01),
        Check::Dns01 => problem.of(DNS_01),
        _ => Finding::warning(check, what, advice),
    }
}

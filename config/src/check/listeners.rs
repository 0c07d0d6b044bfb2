//! No address is listened on twice, and the admin listener stays away from the public ones.

use std::net::SocketAddr;

use crate::complaint::{Complaint, Report};
use crate::model::ListenAddr;
use crate::problem::Code;
use crate::source::Span;

/// An address, and its place where it is not a default.
type Placed = (ListenAddr, Option<Span>);

/// Every listener of `[server]`.
pub(crate) struct Listeners {
    pub(crate) http: Vec<Placed>,
    pub(crate) https: Vec<Placed>,
    pub(crate) admin: Option<Placed>,
}

pub(crate) fn listeners(listeners: &Listeners, report: &Report<'_>) {
    let public: Vec<(&str, &Placed)> = listeners
        .http
        .iter()
        .map(|placed| ("http", placed))
        .chain(listeners.https.iter().map(|placed| ("https", placed)))
        .collect();
    for (index, (key, later)) in public.iter().enumerate() {
        let same = |(_, (addr, _)): &&(&str, &Placed)| *addr == later.0 && later.0.0.port() != 0;
        if let Some((first_key, first)) = public[..index].iter().find(same) {
            report_pair(report, (first_key, first), (key, later));
        }
    }
    let Some(admin) = &listeners.admin else {
        return;
    };
    if let Some((key, listener)) = public.iter().find(|(_, other)| overlap(admin.0, other.0)) {
        report_pair(report, (key, listener), ("admin", admin));
    } else if !admin.0.0.ip().to_canonical().is_loopback() {
        let message = format!("the admin listener {} can be reached from other machines", admin.0);
        let complaint = Complaint::new(Code::PublicAdmin, message)
            .help("listen on 127.0.0.1 or [::1], or make sure that a firewall lets only the monitoring in");
        report.add(admin.1.as_ref(), complaint);
    }
}

/// Whether two listeners would meet: an unspecified address takes all others of its port, and `[::]`
/// takes IPv4 too.
fn overlap(ListenAddr(one): ListenAddr, ListenAddr(other): ListenAddr) -> bool {
    let takes = |wide: SocketAddr, narrow: SocketAddr| {
        wide.ip().is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
    };
    one.port() == other.port()
        && one.port() != 0
        && (one == other || takes(one, other) || takes(other, one))
}

/// Points at whichever of the two was written; a default has no place.
fn report_pair(report: &Report<'_>, first: (&str, &Placed), later: (&str, &Placed)) {
    let ((first_key, (first_addr, first_span)), (later_key, (later_addr, later_span))) =
        (first, later);
    let message = if first_key == later_key {
        format!("`{later_key}` listens on {later_addr} twice")
    } else {
        format!(
            "`{later_key}` on {later_addr} and `{first_key}` on {first_addr} are the same listener"
        )
    };
    let mut complaint = Complaint::new(Code::DuplicateAddress, message)
        .help("give them different addresses or ports");
    if let (Some(first), Some(_)) = (first_span, later_span) {
        complaint = complaint.related(first, format!("`{first_key}`"));
    }
    let span = later_span.as_ref().or(first_span.as_ref());
    report.add(span, complaint);
}

//! No two sites claim one host.

use std::collections::HashMap;

use crate::complaint::{Complaint, Report};
use crate::model::HostPattern;
use crate::problem::Code;
use crate::read::ReadSite;
use crate::source::Span;

pub(crate) fn hosts(sites: &[ReadSite], report: &Report<'_>) {
    let mut claims: HashMap<&HostPattern, (usize, &Span)> = HashMap::new();
    for (index, site) in sites.iter().enumerate() {
        for (host, span) in &site.hosts {
            let Some((first, first_span)) = claims.get(host) else {
                claims.insert(host, (index, span));
                continue;
            };
            let message = if *first == index {
                format!("`{host}` is named twice by one site")
            } else {
                format!("two sites claim `{host}`")
            };
            let complaint = Complaint::new(Code::DuplicateHost, message)
                .help("remove it in one of the two places")
                .related(first_span, "the first");
            report.add(Some(span), complaint);
        }
    }
}

//! No redirect leads back to itself.

use super::Listeners;
use crate::complaint::{Complaint, Report};
use crate::model::{Host, HostPattern, PathPattern};
use crate::path::normalize;
use crate::problem::Code;
use crate::read::{ReadRedirect, ReadRoute, ReadSite};
use crate::text::Location;

/// Ports that clients know a gateway by, whatever it listens on behind a port mapping.
const PUBLIC_PORTS: [u16; 2] = [80, 443];

/// Follows every redirect by one step; one that arrives where it began never ends.
pub(crate) fn redirects(sites: &[ReadSite], listeners: &Listeners, report: &Report<'_>) {
    for site in sites {
        for route in &site.routes {
            let Some(redirect) = &route.redirect else {
                continue;
            };
            if stays(site, sites, listeners, &redirect.location) && returns(route, site, redirect) {
                let target = target(&redirect.location);
                let message = format!("the redirect to `{target}` leads back to itself");
                let complaint = Complaint::new(Code::RedirectLoop, message)
                    .help("redirect to another host, or add a more specific route for the target");
                report.add(Some(&redirect.span), complaint);
            }
        }
    }
}

fn target(location: &Location) -> &str {
    if location.text.is_empty() { "/" } else { &location.text }
}

/// Whether the target is of the same site.
fn stays(site: &ReadSite, sites: &[ReadSite], listeners: &Listeners, location: &Location) -> bool {
    let Some((host, port)) = &location.authority else {
        return true;
    };
    let own_port = PUBLIC_PORTS.contains(port)
        || listeners.http.iter().chain(&listeners.https).any(|(addr, _)| addr.0.port() == *port);
    own_port && site_for(host, sites).is_some_and(|found| std::ptr::eq(found, site))
}

fn site_for<'a>(host: &Host, sites: &'a [ReadSite]) -> Option<&'a ReadSite> {
    let matching = sites.iter().flat_map(|site| {
        let hosts = site.hosts.iter().filter(|(pattern, _)| pattern.matches(host));
        hosts.map(move |(pattern, _)| (rank(pattern), site))
    });
    matching.max_by_key(|(rank, _)| *rank).map(|(_, site)| site)
}

fn rank(pattern: &HostPattern) -> u8 {
    match pattern {
        HostPattern::Exact(_) => 2,
        HostPattern::Wildcard(_) => 1,
        HostPattern::Any => 0,
    }
}

/// Whether a request that the route takes is sent to a path that the route takes again.
fn returns(route: &ReadRoute, site: &ReadSite, redirect: &ReadRedirect) -> bool {
    let location = &redirect.location;
    let target = if redirect.keep_path {
        let request = match &route.path {
            PathPattern::Exact(path) => path.clone(),
            PathPattern::Prefix(prefix) => format!("{prefix}/"),
        };
        format!("{}{request}", location.path.trim_end_matches('/'))
    } else {
        location.path.clone()
    };
    let Ok(target) = normalize(&target) else {
        return false;
    };
    let matching = site.routes.iter().filter(|route| route.path.matches(&target));
    let best = matching.max_by_key(|route| specificity(&route.path));
    best.is_some_and(|best| std::ptr::eq(best, route))
}

fn specificity(pattern: &PathPattern) -> (bool, usize) {
    match pattern {
        PathPattern::Exact(path) => (true, path.len()),
        PathPattern::Prefix(prefix) => (false, prefix.len()),
    }
}

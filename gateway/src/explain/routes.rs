//! Why a route won, and why each other one lost.

use std::cmp::Reverse;

use gateway_config::model::{PathPattern, Site};
use serde::Serialize;

use crate::route::Paths;

/// One route in comparison with the others.
#[derive(Debug, Serialize)]
pub(crate) struct RouteFacts {
    /// The pattern.
    pub(crate) path: String,
    pub(crate) verdict: Verdict,
    pub(crate) why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It takes the request.
    Won,
    /// It would have taken the request, but another is more specific.
    Lost,
    /// It takes other paths.
    NoMatch,
}

/// The route that takes a normalised path.
pub(super) fn winner(site: &Site, path: &str) -> Option<usize> {
    let mut paths = Paths::default();
    for (index, route) in site.routes.iter().enumerate() {
        paths.add(&route.path, index);
    }
    paths.find(path)
}

/// Every route, the most specific first.
pub(super) fn compare(site: &Site, path: &str) -> Vec<RouteFacts> {
    let winner = winner(site, path).and_then(|index| site.routes.get(index));
    let winner = winner.map(|route| &route.path);
    let mut patterns: Vec<&PathPattern> = site.routes.iter().map(|route| &route.path).collect();
    patterns.sort_by_key(|pattern| specificity(pattern));
    patterns.into_iter().map(|pattern| judge(pattern, winner, path)).collect()
}

/// Exact paths in their alphabetical order, then prefixes from the longest to the shortest.
fn specificity(pattern: &PathPattern) -> (bool, Reverse<usize>, &str) {
    match pattern {
        PathPattern::Exact(path) => (false, Reverse(0), path),
        PathPattern::Prefix(path) => (true, Reverse(path.len()), path),
    }
}

fn judge(pattern: &PathPattern, winner: Option<&PathPattern>, path: &str) -> RouteFacts {
    let (verdict, why) = if winner == Some(pattern) {
        (Verdict::Won, won(pattern))
    } else if pattern.matches(path) {
        (Verdict::Lost, lost_to(winner))
    } else {
        (Verdict::NoMatch, elsewhere(pattern, path))
    };
    RouteFacts { path: pattern.to_string(), verdict, why }
}

fn won(pattern: &PathPattern) -> String {
    match pattern {
        PathPattern::Exact(_) => "exactly this path".into(),
        PathPattern::Prefix(prefix) if prefix.is_empty() => "no other route takes this path".into(),
        PathPattern::Prefix(_) => "the longest prefix of this path".into(),
    }
}

fn lost_to(winner: Option<&PathPattern>) -> String {
    match winner {
        Some(exact @ PathPattern::Exact(_)) => format!("would take it, but {exact} is exact"),
        Some(longer) => format!("would take it, but {longer} is longer"),
        // A pattern that matches is never passed over for nothing.
        None => "would take it".into(),
    }
}

fn elsewhere(pattern: &PathPattern, path: &str) -> String {
    match pattern {
        PathPattern::Exact(exact) if path.strip_suffix('/') == Some(exact) => {
            format!("only {exact}, without a slash at its end")
        }
        PathPattern::Exact(exact) if exact.strip_suffix('/') == Some(path) => {
            format!("only {exact}, with the slash at its end")
        }
        PathPattern::Exact(exact) => format!("only {exact}"),
        PathPattern::Prefix(prefix) if path.starts_with(prefix.as_str()) => {
            format!("a prefix ends where a segment does: only {prefix} and {prefix}/…")
        }
        PathPattern::Prefix(prefix) => format!("only {prefix} and below"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(patterns: &[&str]) -> Site {
        let routes: String = patterns
            .iter()
            .map(|path| format!("{{ path = \"{path}\", respond = {{ status = 200 }} }},"))
            .collect();
        let text = format!("[site.\"a.test\"]\ntls = \"self-signed\"\nroutes = [{routes}]\n");
        let loaded = gateway_config::parse("gateway.toml", &text, "".as_ref()).unwrap();
        loaded.config.sites.into_iter().next().unwrap()
    }

    #[test]
    fn every_route_is_judged_in_the_order_of_specificity() {
        let site = site(&["/*", "/api/*", "/api", "/api/v1/*", "/about"]);
        let judged = |path: &str| -> Vec<(String, Verdict)> {
            compare(&site, path).into_iter().map(|route| (route.path, route.verdict)).collect()
        };
        use Verdict::{Lost, NoMatch, Won};
        let order = ["/about", "/api", "/api/v1/*", "/api/*", "/*"];
        for (path, expected) in [
            ("/api", [NoMatch, Won, NoMatch, Lost, Lost]),
            ("/api/v1/x", [NoMatch, NoMatch, Won, Lost, Lost]),
            ("/apis", [NoMatch, NoMatch, NoMatch, NoMatch, Won]),
        ] {
            let expected: Vec<_> = order.map(String::from).into_iter().zip(expected).collect();
            assert_eq!(judged(path), expected, "{path}");
        }
    }
}

//! Which site a host belongs to, and which of its routes takes a path. The most specific wins,
//! whatever the order in the file: exact host before wildcard before `*`; exact path before the
//! longest prefix. What it costs does not depend on how many there are.

use std::collections::HashMap;

use gateway_config::HostError;
use gateway_config::model::{self, Host, HostPattern, PathPattern};

/// Which kind of pattern a host was found by, the most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostRank {
    Exact,
    Wildcard,
    Any,
}

/// Sites by host.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    exact: HashMap<String, usize>,
    wildcard: HashMap<String, usize>,
    any: Option<usize>,
}

impl Hosts {
    /// Every host of these sites.
    pub(crate) fn of(sites: &[model::Site]) -> Self {
        let mut hosts = Self::default();
        for (index, site) in sites.iter().enumerate() {
            site.hosts().for_each(|pattern| hosts.add(pattern, index));
        }
        hosts
    }

    /// Adds a site's pattern. The configuration has no two sites with the same one.
    fn add(&mut self, pattern: &HostPattern, site: usize) {
        match pattern {
            HostPattern::Exact(host) => {
                self.exact.insert(host.as_str().to_owned(), site);
            }
            HostPattern::Wildcard(parent) => {
                self.wildcard.insert(parent.as_str().to_owned(), site);
            }
            HostPattern::Any => self.any = Some(site),
        }
    }

    /// The site that answers to `host`.
    pub(crate) fn find(&self, host: &Host) -> Option<usize> {
        self.find_ranked(host).map(|(_, site)| site)
    }

    /// The site that answers to a host as a request names it, with its port or without. A name that
    /// is written as the configuration writes it is found without being taken apart.
    ///
    /// # Errors
    /// [`HostError`], where it is not a host.
    pub(crate) fn find_authority(&self, authority: &str) -> Result<Option<usize>, HostError> {
        let bare = match authority.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            _ => authority,
        };
        if let Some(site) = self.exact.get(bare) {
            return Ok(Some(*site));
        }
        let (host, _port) = Host::parse_authority(authority)?;
        Ok(self.find(&host))
    }

    /// The same, with the kind of its pattern.
    pub(crate) fn find_ranked(&self, host: &Host) -> Option<(HostRank, usize)> {
        if let Some(site) = self.exact.get(host.as_str()) {
            return Some((HostRank::Exact, *site));
        }
        let wildcard = || self.wildcard.get(host.as_str().split_once('.')?.1);
        match wildcard() {
            Some(site) => Some((HostRank::Wildcard, *site)),
            None => self.any.map(|site| (HostRank::Any, site)),
        }
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|port: u16| port != 0)
}

/// The length of the prefix that a route's own pattern has: what `rewrite = "/new/*"` replaces.
pub(crate) fn own_length(pattern: &PathPattern) -> usize {
    match pattern {
        PathPattern::Exact(path) | PathPattern::Prefix(path) => path.len(),
    }
}

/// Routes of one site by path.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    exact: HashMap<String, usize>,
    prefix: HashMap<String, usize>,
    /// The longest prefix's length: nothing longer needs to be looked up, however long and deep a
    /// path somebody sends.
    longest: usize,
}

impl Paths {
    /// Adds a route's pattern. No two routes of a site have the same one.
    pub(crate) fn add(&mut self, pattern: &PathPattern, route: usize) {
        match pattern {
            PathPattern::Exact(path) => {
                self.exact.insert(path.clone(), route);
            }
            PathPattern::Prefix(path) => {
                self.longest = self.longest.max(path.len());
                self.prefix.insert(path.clone(), route);
            }
        }
    }

    /// The route that takes a normalised path.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        let exact = || self.exact.get(path).copied();
        if self.exact.is_empty() {
            self.longest_prefix(path)
        } else {
            exact().or_else(|| self.longest_prefix(path))
        }
    }

    fn longest_prefix(&self, path: &str) -> Option<usize> {
        if path.len() <= self.longest
            && let Some(route) = self.prefix.get(path)
        {
            return Some(*route);
        }
        let mut end = path.len();
        // Every cut stands before a slash, so a prefix ends where a segment does.
        while let Some(slash) = path.get(..end)?.rfind('/') {
            end = slash;
            if end <= self.longest
                && let Some(route) = self.prefix.get(&path[..end])
            {
                return Some(*route);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(patterns: &[&str]) -> Paths {
        let mut paths = Paths::default();
        for (route, pattern) in patterns.iter().enumerate() {
            paths.add(&parse(pattern), route);
        }
        paths
    }

    fn parse(pattern: &str) -> PathPattern {
        match pattern.strip_suffix("/*") {
            Some(prefix) => PathPattern::Prefix(prefix.to_owned()),
            None => PathPattern::Exact(pattern.to_owned()),
        }
    }

    #[test]
    fn the_most_specific_wins_whatever_the_order() {
        let mut patterns = ["/*", "/api/*", "/api/v1/ws/*", "/api/health", "/metrics"];
        for _ in 0..patterns.len() {
            patterns.rotate_left(1);
            let table = paths(&patterns);
            for (path, expected) in [
                ("/", "/*"),
                ("/x", "/*"),
                ("/api", "/api/*"),
                ("/api/", "/api/*"),
                ("/apix", "/*"),
                ("/api/v1/ws", "/api/v1/ws/*"),
                ("/api/v1/wsx", "/api/*"),
                ("/api/v1/ws/a/b", "/api/v1/ws/*"),
                ("/api/health", "/api/health"),
                ("/api/health/x", "/api/*"),
                ("/metrics", "/metrics"),
                ("/metrics/", "/*"),
            ] {
                assert_eq!(table.find(path).map(|route| patterns[route]), Some(expected), "{path}");
            }
        }
        assert_eq!(paths(&["/api/*"]).find("/other"), None);
    }

    /// What the contract says, written down as slowly as it reads.
    fn expected(patterns: &[String], path: &str) -> Option<usize> {
        let rank = |pattern: &str| match parse(pattern) {
            PathPattern::Exact(exact) => (exact == path).then_some(usize::MAX),
            PathPattern::Prefix(prefix) => (path == prefix
                || path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/')))
            .then_some(prefix.len()),
        };
        (0..patterns.len()).filter_map(|i| Some((rank(&patterns[i])?, i))).max().map(|(_, i)| i)
    }

    proptest! {
        #[test]
        fn agrees_with_the_contract(
            patterns in proptest::collection::hash_set("(/[ab]{1,2}){0,3}/\\*|(/[ab]{1,2}){1,3}", 1..8),
            path in "(/[ab]{1,2}){1,4}/?",
        ) {
            let patterns: Vec<String> = patterns.into_iter().collect();
            let table = paths(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(table.find(&path), expected(&patterns, &path));
        }
    }
}

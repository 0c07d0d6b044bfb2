//! What differs between two configurations: what a reload tells whoever asked for it.

use std::fmt::{self, Display};

use gateway_config::model::{Config, Server, Site};
use serde::Serialize;

/// More names of one kind are counted and not named.
const NAMED: usize = 10;

/// Names of one kind of thing.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) removed: Vec<String>,
}

/// Everything that differs.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Changes {
    pub(crate) sites: Named,
    pub(crate) upstreams: Named,
    pub(crate) limits: Named,
    /// Keys of `[server]`.
    pub(crate) server: Vec<&'static str>,
    /// Whether anything in `[acme]` does.
    pub(crate) acme: bool,
    /// Keys of `[server]` that have changed and are heeded at the next start only.
    pub(crate) after_restart: Vec<&'static str>,
}

impl Changes {
    /// What `new` has that `old` has not, and the other way about.
    pub(crate) fn between(old: &Config, new: &Config) -> Self {
        let (server, after_restart) = server_keys(&old.server, &new.server);
        Self {
            sites: Named::between(&old.sites, &new.sites, |site: &Site| site.name.to_string()),
            upstreams: Named::between(&old.upstreams, &new.upstreams, |one| one.name.clone()),
            limits: Named::between(&old.limits, &new.limits, |one| one.name.clone()),
            server,
            acme: old.acme != new.acme,
            after_restart,
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Named {
    fn between<T: PartialEq>(old: &[T], new: &[T], name: impl Fn(&T) -> String) -> Self {
        use std::collections::HashMap;
        let mut before: HashMap<String, &T> = old.iter().map(|one| (name(one), one)).collect();
        let mut named = Self::default();
        for one in new {
            let name = name(one);
            match before.remove(&name) {
                Some(other) if other == one => {}
                Some(_) => named.changed.push(name),
                None => named.added.push(name),
            }
        }
        named.removed = before.into_keys().collect();
        named.removed.sort();
        named
    }

    fn write(&self, what: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (names, how) in
            [(&self.added, "added"), (&self.changed, "changed"), (&self.removed, "removed")]
        {
            if !names.is_empty() {
                writeln!(f, "{what} {how}: {}", List(names))?;
            }
        }
        Ok(())
    }
}

/// A line for each kind of difference.
impl Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sites.write("sites", f)?;
        self.upstreams.write("upstreams", f)?;
        self.limits.write("limits", f)?;
        if !self.server.is_empty() {
            writeln!(f, "[server] changed: {}", List(&self.server))?;
        }
        if self.acme {
            writeln!(f, "[acme] changed")?;
        }
        if self.is_empty() {
            writeln!(f, "nothing changed; certificates were read again")?;
        }
        if !self.after_restart.is_empty() {
            let keys = List(&self.after_restart);
            writeln!(f, "changed, and heeded after a restart only: {keys}")?;
        }
        Ok(())
    }
}

/// Names with commas between them.
struct List<'l, T>(&'l [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().take(NAMED).enumerate() {
            write!(f, "{}{name}", if index == 0 { "" } else { ", " })?;
        }
        match self.0.len() {
            all if all > NAMED => write!(f, " and {} more", all - NAMED),
            _ => Ok(()),
        }
    }
}

/// The keys that differ: those that a reload heeds, and those that it cannot. Threads are not made
/// and ended under requests, what is kept is not moved, and the log's thread writes in one format.
fn server_keys(old: &Server, new: &Server) -> (Vec<&'static str>, Vec<&'static str>) {
    // Taken apart, so that no key can be forgotten here.
    let Server {
        http,
        https,
        admin,
        trusted_proxies,
        unknown_host,
        storage,
        workers,
        connections,
        timeouts,
        drain,
        access_log,
        dns,
    } = old;
    let (caps, times) = (new.connections, new.timeouts);
    let heeded = [
        ("http", *http == new.http),
        ("https", *https == new.https),
        ("admin", *admin == new.admin),
        ("trusted_proxies", *trusted_proxies == new.trusted_proxies),
        ("unknown_host", *unknown_host == new.unknown_host),
        ("max_connections", connections.total == caps.total),
        ("max_connections_per_client", connections.per_client == caps.per_client),
        ("handshake", timeouts.handshake == times.handshake),
        ("header", timeouts.header == times.header),
        ("keepalive", timeouts.keepalive == times.keepalive),
        ("drain", *drain == new.drain),
        ("dns", *dns == new.dns),
    ];
    let at_start = [
        ("storage", *storage == new.storage),
        ("workers", *workers == new.workers),
        ("access_log", *access_log == new.access_log),
    ];
    (differing(&heeded), differing(&at_start))
}

fn differing(keys: &[(&'static str, bool)]) -> Vec<&'static str> {
    keys.iter().filter(|(_, same)| !same).map(|(key, _)| *key).collect()
}

/// `new`, with what cannot be changed while requests are served left as it is.
pub(crate) fn feasible(old: &Server, new: &Server) -> Server {
    Server {
        storage: old.storage.clone(),
        workers: old.workers,
        access_log: old.access_log,
        ..new.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(server: &str, rest: &str) -> Config {
        let text = format!("[server]\n{server}\n{rest}");
        gateway_config::parse("gateway.toml", &text, "".as_ref()).unwrap().config
    }

    const SITES: &str = "
        [site.\"a.test\"]
        tls = \"self-signed\"
        routes = [{ path = \"/*\", to = \"one:1\" }, { path = \"/b\", to = \"two:2\" }]
        [site.\"b.test\"]
        tls = \"self-signed\"
        redirect = \"https://a.test\"";

    #[test]
    fn the_same_text_is_no_change() {
        let changes = Changes::between(&config("", SITES), &config("", SITES));
        assert!(changes.is_empty());
        assert_eq!(changes.to_string(), "nothing changed; certificates were read again\n");
    }

    #[test]
    fn every_difference_is_named() {
        let other = "
            [limit.api]
            rate = \"1/s\"
            burst = 1
            [site.\"a.test\"]
            tls = \"self-signed\"
            limit = \"api\"
            routes = [{ path = \"/*\", to = \"one:1\" }]
            [site.\"c.test\"]
            tls = \"self-signed\"
            redirect = \"https://a.test\"";
        let server = "drain = \"1m\"\nworkers = 3\nmax_connections = 7\nstorage = \"elsewhere\"";
        let changes = Changes::between(&config("", SITES), &config(server, other));
        assert_eq!(
            changes.to_string(),
            "sites added: c.test\nsites changed: a.test\nsites removed: b.test\n\
             upstreams removed: two:2\nlimits added: api\n\
             [server] changed: max_connections, drain\n\
             changed, and heeded after a restart only: storage, workers\n"
        );
    }

    #[test]
    fn many_names_are_counted() {
        let many: Vec<u32> = (0..25).collect();
        assert!(List(&many).to_string().ends_with("8, 9 and 15 more"));
    }
}

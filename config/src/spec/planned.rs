//! What the language will have and this version cannot do. It is refused with a sentence of its own:
//! silently ignoring `auth` would open a door, and "unknown key" would send people looking for a
//! typing mistake.

/// A key that is planned.
pub(crate) struct Planned {
    pub(crate) key: &'static str,
    /// The `id`s of the tables that will have it.
    tables: &'static [&'static str],
    /// What to do until then.
    pub(crate) until_then: &'static str,
}

const LEVELS: &[&str] = &["server", "site", "route"];

static PLANNED: [Planned; 7] = [
    Planned {
        key: "include",
        tables: &["gateway"],
        until_then: "remove it; until then keep everything in one file",
    },
    Planned {
        key: "cors",
        tables: LEVELS,
        until_then: "remove it; until then let the upstream answer preflights and send the CORS headers",
    },
    Planned {
        key: "auth",
        tables: LEVELS,
        until_then: "remove it; until then let the upstream ask who is calling, or name networks in `allow`",
    },
    Planned {
        key: "webhook",
        tables: LEVELS,
        until_then: "remove it; until then let the upstream check the signature",
    },
    Planned {
        key: "cache_control",
        tables: LEVELS,
        until_then: "remove it; until then let the upstream send `Cache-Control`, or set it for a route by `headers`",
    },
    Planned {
        key: "compress",
        tables: LEVELS,
        until_then: "remove it; until then let the upstream compress, which the gateway passes through",
    },
    Planned {
        key: "files",
        tables: &["site", "route"],
        until_then: "remove it; until then pass to a file server by `to`",
    },
];

/// The planned key of this name, if the table with this `id` will have it.
pub(crate) fn planned(table: &str, key: &str) -> Option<&'static Planned> {
    PLANNED.iter().find(|planned| planned.key == key && planned.tables.contains(&table))
}

#[cfg(test)]
pub(crate) fn all_planned() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLANNED.iter().flat_map(|planned| planned.tables.iter().map(|table| (*table, planned.key)))
}

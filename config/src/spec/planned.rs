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

static PLANNED: [Planned; 2] = [
    Planned {
        key: "health",
        tables: &["upstream"],
        until_then: "remove it; until then every server of the upstream is taken for healthy",
    },
    Planned {
        key: "fail",
        tables: &["upstream"],
        until_then: "remove it; until then every server of the upstream is taken for healthy",
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

//! The language's one description. The reader, the "did you mean", the JSON Schema and the reference
//! all come from the tables here; the reader refuses (in debug builds) to read a key that is not
//! described and to leave one out that is.

mod acme;
mod acme_dns;
mod auth;
mod cache_control;
mod compress;
mod cors;
mod errors;
mod files;
mod format;
mod limit;
mod planned;
mod policy;
mod root;
mod route;
mod secret;
mod server;
mod site;
#[cfg(test)]
mod tests;
mod upstream;
mod webhook;

pub(crate) use format::Format;
pub(crate) use planned::planned;
pub(crate) use policy::POLICIES;
pub(crate) use root::ROOT;
pub(crate) use secret::SECRET;
pub(crate) use upstream::UPSTREAM;

/// One TOML table of the language.
#[derive(Debug)]
pub(crate) struct TableSpec {
    /// Its name in the JSON Schema.
    pub(crate) id: &'static str,
    /// How the file writes it: a heading of the reference.
    pub(crate) heading: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    /// Its keys, in groups, because the policies stand in three tables.
    pub(crate) groups: &'static [&'static [KeySpec]],
    /// Exactly one of these keys must be given; empty where there is no such rule.
    pub(crate) one_of: &'static [&'static str],
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct KeySpec {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// One or two sentences.
    pub(crate) doc: &'static str,
    /// A value in TOML.
    pub(crate) example: &'static str,
}

/// What happens where a key is not given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    /// It is an error. The text says what to choose from.
    Required(&'static str),
    /// This value, in TOML, is read in its place.
    Default(&'static str),
    /// Something that no value of the key says.
    Optional(&'static str),
}

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Kind {
    Bool,
    /// A number of something, from 1.
    Count {
        most: u32,
    },
    /// A string in one of the small languages.
    Text(Format),
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// One of these numbers.
    Number {
        least: u16,
        most: u16,
        only: &'static [u16],
    },
    List {
        of: &'static Kind,
        may_be_empty: bool,
    },
    Table(&'static TableSpec),
    /// One of these tables. Each takes another value of the key `tag`; where there is no tag, each
    /// has keys of its own.
    Variants {
        tag: Option<&'static str>,
        tables: &'static [&'static TableSpec],
    },
    /// A table whose keys are names that the file chooses.
    Named {
        name: Format,
        of: &'static Kind,
    },
    /// A table of header names and values.
    Headers,
    /// One of these; each of another TOML type.
    Either(&'static [Kind]),
}

/// A key's name that stands for those that the file chooses: statuses and classes of them.
pub(crate) const STATUS: &str = "STATUS";

impl KeySpec {
    /// What the names are like that the file chooses in this key's place.
    pub(crate) fn chosen_names(&self) -> Option<Format> {
        (self.name == STATUS).then_some(Format::ErrorStatus)
    }

    /// A name that a file could write.
    pub(crate) fn shown_name(&self) -> &'static str {
        if self.chosen_names().is_some() { "404" } else { self.name }
    }
}

impl TableSpec {
    /// The key that stands for names of the file's choice, where the table has one.
    pub(crate) fn open_key(&self) -> Option<&'static KeySpec> {
        self.keys().find(|key| key.chosen_names().is_some())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static KeySpec> + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }

    pub(crate) fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys().find(|key| key.name == name)
    }
}

impl Kind {
    /// "expected …", in a sentence.
    pub(crate) fn phrase(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Count { .. } => "a whole number".into(),
            Self::Text(format) => format.phrase().into(),
            Self::Choice(words) => alternatives(words.iter().map(|word| format!("\"{word}\""))),
            Self::Number { only: [], least, most } => format!("a number from {least} to {most}"),
            Self::Number { only, .. } => alternatives(only.iter().map(u16::to_string)),
            Self::List { of: choice @ Self::Choice(_), .. } => {
                format!("a list of {}", choice.phrase())
            }
            Self::List { of, .. } => format!("a list of {}", of.plural()),
            Self::Table(spec) => format!("a table ({})", spec.heading),
            Self::Variants { tables, .. } => {
                let headings: Vec<&str> = tables.iter().map(|spec| spec.heading).collect();
                format!("a table ({})", headings.join(", or "))
            }
            Self::Named { of, .. } => format!("named {}", of.plural()),
            Self::Headers => "a table of header names and values".into(),
            Self::Either(kinds) => {
                let phrases: Vec<String> = kinds.iter().map(Self::phrase).collect();
                phrases.join(", or ")
            }
        }
    }

    /// The tables in it.
    pub(crate) fn tables(&self) -> Vec<&'static TableSpec> {
        match self {
            Self::Table(spec) => vec![spec],
            Self::Variants { tables, .. } => tables.to_vec(),
            Self::List { of, .. } | Self::Named { of, .. } => of.tables(),
            Self::Either(kinds) => kinds.iter().flat_map(Self::tables).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it says where a secret is.
    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Table(spec) => spec.id == SECRET.id,
            Self::List { of, .. } => of.is_secret(),
            _ => false,
        }
    }

    /// Whether it is a table of hashes of passwords: one of them may be the password itself.
    pub(crate) fn holds_hashes(&self) -> bool {
        matches!(self, Self::Named { of: Self::Text(Format::PasswordHash), .. })
    }

    /// What a list is of, without examples.
    pub(crate) fn plural(&self) -> &'static str {
        match self {
            Self::Text(format) => format.plural(),
            Self::Table(_) | Self::Variants { .. } => "tables",
            Self::Either([first, ..]) => first.plural(),
            _ => "values",
        }
    }
}

/// Every table of the language, the file itself first, in the order of the reference.
pub(crate) fn tables() -> Vec<&'static TableSpec> {
    let mut found: Vec<&'static TableSpec> = vec![&ROOT];
    let mut next = 0;
    while let Some(table) = found.get(next) {
        let inner = table.keys().flat_map(|key| key.kind.tables());
        let new: Vec<_> =
            inner.filter(|table| !found.iter().any(|known| known.id == table.id)).collect();
        for table in new {
            if !found.iter().any(|known| known.id == table.id) {
                found.push(table);
            }
        }
        next += 1;
    }
    found
}

fn alternatives(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

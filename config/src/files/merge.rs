//! Several files as one table. Nothing may stand in two of them: which one counts would depend on
//! their names.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::complaint::{Complaint, Report};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::{Kind, ROOT};

/// Joins the tables. `has_main`: only the first may include others.
pub(super) fn merge<'a>(
    tables: Vec<DeTable<'a>>,
    has_main: bool,
    report: &Report<'_>,
) -> DeTable<'a> {
    let mut merged = DeTable::new();
    for (index, table) in tables.into_iter().enumerate() {
        let is_main = has_main && index == 0;
        for (key, value) in table {
            let name: &str = key.get_ref();
            if name == "include" && !is_main {
                report.add(Some(&key.span()), nested(has_main));
                continue;
            }
            let known = merged.get_key_value(name).map(|(key, _)| key.span());
            let Some(first) = known else {
                merged.insert(key, value);
                continue;
            };
            let joined = merged
                .get_mut(name)
                .is_some_and(|known| is_named(name) && join(known.get_mut(), value, name, report));
            if !joined {
                let message = format!("`{name}` stands in two files");
                report.add(Some(&key.span()), twice(message, &first));
            }
        }
    }
    merged
}

/// Whether a key of the file holds tables with names, which may come from several files.
fn is_named(key: &str) -> bool {
    ROOT.key(key).is_some_and(|key| matches!(key.kind, Kind::Named { .. }))
}

/// Adds the entries of `more`. `false`: one of the two is no table, so that there are none.
fn join<'a>(
    known: &mut DeValue<'a>,
    more: Spanned<DeValue<'a>>,
    what: &str,
    report: &Report<'_>,
) -> bool {
    let (DeValue::Table(known), DeValue::Table(more)) = (known, more.into_inner()) else {
        return false;
    };
    for (name, value) in more {
        let first = known.get_key_value(name.get_ref().as_ref()).map(|(first, _)| first.span());
        let Some(first) = first else {
            known.insert(name, value);
            continue;
        };
        let message = format!("{what} `{}` is defined in two files", name.get_ref());
        report.add(Some(&name.span()), twice(message, &first));
    }
    true
}

fn twice(message: String, first: &Span) -> Complaint {
    Complaint::new(Code::DuplicateDefinition, message)
        .help("keep one of the two")
        .related(first, "the first")
}

fn nested(has_main: bool) -> Complaint {
    let (message, help) = if has_main {
        (
            "a file that is included cannot include others",
            "move the pattern into the `include` of the main file",
        )
    } else {
        (
            "`include` has no place in a folder whose files are all read",
            "put the files into the folder, or name one file instead of the folder",
        )
    };
    Complaint::new(Code::NestedInclude, message).help(help)
}

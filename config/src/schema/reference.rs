//! The reference, in Markdown.

use crate::problem::codes;
use crate::spec::{KeySpec, Kind, POLICIES, Presence, TableSpec, tables};

/// Every table and key of the configuration with its kind, default, meaning and an example, and the
/// table of problem codes.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = String::from(
        "# Configuration reference\n\n\
         Written from the description that the gateway reads files by.\n",
    );
    let mut policies_shown = false;
    for spec in tables() {
        table(&mut out, spec, &mut policies_shown);
    }
    out.push_str("\n## Problem codes\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in codes() {
        out.push_str(&format!("| `{code}` | {meaning} |\n"));
    }
    out
}

fn table(out: &mut String, spec: &TableSpec, policies_shown: &mut bool) {
    out.push_str(&format!("\n## {}\n\n{}\n", title(spec), spec.doc));
    if !spec.one_of.is_empty() {
        let keys = crate::suggest::either(spec.one_of.iter().copied());
        out.push_str(&format!("\nExactly one of {keys} must be given.\n"));
    }
    for group in spec.groups {
        let names = |keys: &'static [KeySpec]| keys.iter().map(|key| key.name);
        let policies = names(group).eq(names(POLICIES));
        if policies && *policies_shown {
            let names: Vec<String> = group.iter().map(|key| format!("`{}`", key.name)).collect();
            out.push_str(&format!("\nPolicies, as in `[server]`: {}.\n", names.join(", ")));
            continue;
        }
        *policies_shown |= policies;
        for spec in *group {
            key(out, spec);
        }
    }
}

fn title(spec: &TableSpec) -> String {
    if spec.id == "gateway" { "The file".into() } else { format!("`{}`", spec.heading) }
}

fn key(out: &mut String, key: &KeySpec) {
    let presence = match key.presence {
        Presence::Required(_) => "required".into(),
        Presence::Default(text) => format!("default `{text}`"),
        Presence::Optional(text) => format!("without it: {text}"),
    };
    out.push_str(&format!(
        "\n### `{}`\n\n*{}; {presence}.* {}\n\nExample: `{} = {}`\n",
        key.name,
        kind(&key.kind),
        key.doc,
        key.shown_name(),
        key.example
    ));
}

/// A kind in words, with every string that may be written in code.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Choice(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            words.join(", ")
        }
        Kind::List { of: choice @ Kind::Choice(_), .. } => {
            format!("a list of {}", self::kind(choice))
        }
        Kind::Either(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(self::kind).collect();
            kinds.join(", or ")
        }
        kind => kind.phrase(),
    }
}

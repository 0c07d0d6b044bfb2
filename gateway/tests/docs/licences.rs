//! The dependencies' licences and sources are those that `deny.toml` allows. cargo-deny checks the
//! same and more where it is installed; this check needs nothing.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::project;

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let allowed = allowed();
    let packages = packages();
    assert!(packages.len() > 100, "only {} packages", packages.len());
    for package in packages {
        let (name, licence) = (&package["name"], package["license"].as_str());
        let Some(licence) = licence else { panic!("{name} states no licence") };
        assert!(permits(licence, &allowed), "{name}: {licence} is not in deny.toml");
    }
}

#[test]
fn every_dependency_comes_from_the_registry() {
    for package in packages() {
        let from_registry =
            package["source"].as_str().is_none_or(|source| source.starts_with("registry+"));
        assert!(from_registry, "{}: {}", package["name"], package["source"]);
        let is_ours = package["source"].is_null();
        let name = package["name"].as_str().unwrap();
        let is_of_the_workspace = name.starts_with("gateway") || name == "loadtest";
        assert!(!is_ours || is_of_the_workspace, "{name} is a path outside the workspace");
    }
}

/// Everything that is built for this machine, tests included.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform"];
    let output = Command::new(cargo)
        .args(arguments)
        .arg(host())
        .current_dir(project::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The target that rustc builds for here.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").current_dir(project::root()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// `allow` of `[licenses]`.
fn allowed() -> BTreeSet<String> {
    let deny = project::read("deny.toml");
    let section = deny.split("[licenses]").nth(1).unwrap();
    let list = section.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
    let quoted = list.split('"').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// Whether an SPDX expression leaves a choice of licences that are all allowed. `AND` binds more
/// closely than `OR`, and older manifests write `/` for `OR`.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens = spaced.split_whitespace().peekable();
    let permitted = any(&mut tokens, allowed);
    assert!(tokens.next().is_none(), "this is no SPDX expression: {expression}");
    permitted
}

type Tokens<'t> = std::iter::Peekable<std::str::SplitWhitespace<'t>>;

fn any(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut permitted = every(tokens, allowed);
    while tokens.next_if_eq(&"OR").is_some() {
        permitted |= every(tokens, allowed);
    }
    permitted
}

fn every(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut permitted = one(tokens, allowed);
    while tokens.next_if_eq(&"AND").is_some() {
        permitted &= one(tokens, allowed);
    }
    permitted
}

fn one(tokens: &mut Tokens<'_>, allowed: &BTreeSet<String>) -> bool {
    if tokens.next_if_eq(&"(").is_some() {
        let permitted = any(tokens, allowed);
        assert_eq!(tokens.next(), Some(")"));
        return permitted;
    }
    let mut licence = tokens.next().unwrap_or_default().to_owned();
    if tokens.next_if_eq(&"WITH").is_some() {
        licence = format!("{licence} WITH {}", tokens.next().unwrap_or_default());
    }
    allowed.contains(&licence)
}

#[test]
fn expressions_are_understood() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0"].map(String::from));
    for expression in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/GPL-3.0",
        "(MIT OR GPL-3.0) AND ISC",
        "ISC AND MIT OR GPL-3.0",
        "GPL-3.0 AND ISC OR MIT",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(permits(expression, &allowed), "{expression}");
    }
    for expression in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT AND (GPL-3.0 OR MPL-2.0)",
        "(MIT OR ISC) AND GPL-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(!permits(expression, &allowed), "{expression}");
    }
}

//! Paths that no application should ever have served: dotfiles, environment files, dumps, backups.

use gateway_config::model::DenyPaths;

use super::Refused;

/// Checks a path that [`crate::path::normalise`] has decoded.
pub(crate) fn check(rules: &DenyPaths, path: &str) -> Result<(), Refused> {
    let hidden = rules.dotfiles && has_dotfile(path);
    let denied = hidden || rules.suffixes.iter().any(|suffix| ends_with(path, suffix));
    if denied { Err(Refused::Path) } else { Ok(()) }
}

/// `/.well-known` is where RFC 8615 puts what must be found, so it is the one exception, at the root
/// only.
pub(crate) fn has_dotfile(path: &str) -> bool {
    let below =
        path.strip_prefix("/.well-known").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    below.unwrap_or(path).split('/').any(|segment| segment.starts_with('.'))
}

pub(crate) fn ends_with(path: &str, suffix: &str) -> bool {
    path.len()
        .checked_sub(suffix.len())
        .and_then(|start| path.as_bytes().get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_known_may_begin_with_a_dot() {
        let rules =
            DenyPaths { dotfiles: true, suffixes: [".env", ".sql"].map(String::from).to_vec() };
        let denied = |path: &str| check(&rules, path).is_err();
        for path in
            ["/.git/config", "/a/.env", "/x.env", "/dump.SQL", "/.well-known/.x", "/.well-knownx"]
        {
            assert!(denied(path), "{path}");
        }
        for path in ["/", "/a.b", "/.well-known", "/.well-known/acme-challenge/x", "/env", "/sql/a"]
        {
            assert!(!denied(path), "{path}");
        }
    }
}

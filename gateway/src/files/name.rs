//! From a request's path to a name below a folder.

use crate::policy::deny_paths::has_dotfile;

/// What a normalised path asks for below the folder: without the route's own prefix, beginning with a
/// slash, or empty where it is the prefix itself. `None` where nothing is served whatever the folder
/// holds: dotfiles but for `/.well-known`.
pub(crate) fn name_below(path: &str, prefix: usize) -> Option<&str> {
    let below = path.get(prefix..)?;
    (!has_dotfile(below) && !below.contains('\0')).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_behind_the_prefix() {
        for (path, prefix, name) in [
            ("/a.js", "", Some("/a.js")),
            ("/", "", Some("/")),
            ("/static/a.js", "/static", Some("/a.js")),
            ("/static/", "/static", Some("/")),
            ("/static", "/static", Some("")),
            ("/static/b/", "/static", Some("/b/")),
            ("/.env", "", None),
            ("/a/.git/config", "", None),
            ("/static/.env", "/static", None),
            ("/.well-known/security.txt", "", Some("/.well-known/security.txt")),
            ("/.well-known/.x", "", None),
        ] {
            assert_eq!(name_below(path, prefix.len()), name, "{path}");
        }
    }
}

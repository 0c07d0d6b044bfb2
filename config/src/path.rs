//! Paths and path patterns, in the one form in which they are compared.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::model::PathPattern;

/// Why a text is no path, or no pattern of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathError {
    /// It does not begin with a slash.
    Relative,
    /// A `?` or `#`: a query or fragment is no part of a path.
    Query,
    /// Percent-decoded it is not UTF-8 text, or a `%` is not followed by two digits.
    Encoding,
    /// A control character.
    Control,
    /// `..` above the root.
    AboveRoot,
    /// A `*` anywhere but alone behind the last slash (patterns only).
    Star,
    /// Empty, `.` or `..` segments (patterns only).
    Segments,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "it does not begin with `/`",
            Self::Query => "it holds `?` or `#`, which are no part of a path",
            Self::Encoding => "its percent-encoding is broken, or not UTF-8",
            Self::Control => "it holds a control character",
            Self::AboveRoot => "its `..` lead above the root",
            Self::Star => "`*` may only stand alone behind the last `/`",
            Self::Segments => "it holds `//`, `/./` or `/../`",
        })
    }
}

impl std::error::Error for PathError {}

/// The form in which paths are compared: percent-decoded once (`%2F` included, as what stands
/// behind the gateway may decode it too), repeated slashes made one, `.` and `..` resolved
/// (RFC 3986, section 5.2.4). A trailing slash is kept.
///
/// # Errors
///
/// See [`PathError`]. The path is given without its query.
pub fn normalize(path: &str) -> Result<Cow<'_, str>, PathError> {
    if path.contains(['?', '#']) {
        return Err(PathError::Query);
    }
    let decoded = decode(path)?;
    if !decoded.starts_with('/') {
        return Err(PathError::Relative);
    }
    if decoded.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if is_plain(&decoded) {
        return Ok(decoded);
    }
    resolve(&decoded).map(Cow::Owned)
}

fn decode(path: &str) -> Result<Cow<'_, str>, PathError> {
    let well_formed = path.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !well_formed {
        return Err(PathError::Encoding);
    }
    percent_decode_str(path).decode_utf8().map_err(|_| PathError::Encoding)
}

fn is_plain(path: &str) -> bool {
    !path.contains("//") && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn resolve(path: &str) -> Result<String, PathError> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or(PathError::AboveRoot)?;
            }
            segment => segments.push(segment),
        }
    }
    let folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let tail = if folder && !segments.is_empty() { "/" } else { "" };
    Ok(format!("/{}{tail}", segments.join("/")))
}

impl PathPattern {
    /// Reads `/x` (exactly this path), `/x/*` (this path and everything below it) or `/*` (all).
    ///
    /// # Errors
    ///
    /// See [`PathError`]. What [`normalize`] would clean up is an error here, but for
    /// percent-encoding: a pattern is to be read as it is meant.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let (path, prefix) = match text.strip_suffix("/*") {
            Some("") => return Ok(Self::Prefix(String::new())),
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*') {
            return Err(PathError::Star);
        }
        let normal = normalize(path)?;
        if !is_plain(&decode(path)?) || (prefix && normal.ends_with('/')) {
            return Err(PathError::Segments);
        }
        let normal = normal.into_owned();
        Ok(if prefix { Self::Prefix(normal) } else { Self::Exact(normal) })
    }

    /// Whether a path, as [`normalize`] returns it, is one of those meant. Which of several
    /// patterns wins is the router's business: exact, then the longest prefix.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(own) => own == path,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_have_one_form() {
        for (path, normal) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("//a///b", "/a/b"),
            ("/a/./b/.", "/a/b/"),
            ("/a/../b", "/b"),
            ("/a/..", "/"),
            ("/%2e%2E/..", "!"),
            ("/a/%2e%2e%2fb", "/b"),
            ("/%61%2562", "/a%62"),
            ("/ä", "/ä"),
            ("/%C3%A4", "/ä"),
            ("/..", "!"),
            ("a", "!"),
            ("", "!"),
            ("*", "!"),
            ("/%zz", "!"),
            ("/%2", "!"),
            ("/%ff", "!"),
            ("/%00", "!"),
            ("/a?b", "!"),
        ] {
            let found = normalize(path);
            assert_eq!(found.as_deref().unwrap_or("!"), normal, "{path}");
        }
    }

    #[test]
    fn patterns_are_exact_or_prefixes() {
        let exact = |path: &str| Ok(PathPattern::Exact(path.into()));
        let prefix = |path: &str| Ok(PathPattern::Prefix(path.into()));
        for (text, pattern) in [
            ("/x", exact("/x")),
            ("/x/", exact("/x/")),
            ("/", exact("/")),
            ("/*", prefix("")),
            ("/x/*", prefix("/x")),
            ("/%61/*", prefix("/a")),
            ("/%2a", exact("/*")),
            ("", Err(PathError::Relative)),
            ("x/*", Err(PathError::Relative)),
            ("*", Err(PathError::Star)),
            ("/x*", Err(PathError::Star)),
            ("/*/x", Err(PathError::Star)),
            ("/x//y", Err(PathError::Segments)),
            ("/x//*", Err(PathError::Segments)),
            ("//*", Err(PathError::Segments)),
            ("/x/%2e%2e/y", Err(PathError::Segments)),
            ("/x?y", Err(PathError::Query)),
        ] {
            assert_eq!(PathPattern::parse(text), pattern, "{text}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        let ws = PathPattern::parse("/ws/*").expect("a pattern");
        for (path, expected) in [("/ws", true), ("/ws/", true), ("/ws/a", true), ("/wsa", false)] {
            assert_eq!(ws.matches(path), expected, "{path}");
        }
        assert!(PathPattern::Prefix(String::new()).matches("/anything"));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_normal_paths_are_clean(path in "/(\\PC|%2[ef]|[./]){0,30}") {
            if let Ok(normal) = normalize(&path) {
                prop_assert!(normal.starts_with('/'));
                prop_assert!(is_plain(&normal), "{normal}");
            }
            let _ = PathPattern::parse(&path);
        }
    }
}

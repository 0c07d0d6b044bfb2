//! Pages for errors: text with places for what is known only when an error happens.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use gateway_config::model::{ErrorPage, PageKind};
use http::StatusCode;

use super::Body;
use super::problem::Problem;

/// The largest page that is taken, in bytes. It is kept in memory once, however many are told.
const LARGEST: u64 = 256 * 1024;

/// A page, cut at its placeholders.
#[derive(Debug)]
pub(crate) struct Page {
    pub(super) kind: PageKind,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Bytes),
    Place(Placeholder),
}

/// What can stand in a page between `{{` and `}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    RequestId,
    Status,
    Title,
    Detail,
}

/// Why a page cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is not there, or may not be read.
    #[error("the error page `{path}` cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It would have to be kept in memory.
    #[error("the error page `{path}` is larger than {} KiB", LARGEST / 1024, path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Its bytes are not UTF-8, which clients are told that it is.
    #[error("the error page `{path}` is not UTF-8 text", path = .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}

impl PageError {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. } | Self::TooLarge { path } | Self::NotText { path } => {
                path
            }
        }
    }
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// [`PageError`].
    pub(super) fn read(page: &ErrorPage) -> Result<Self, PageError> {
        let path = || page.path.clone();
        let text = read_some(&page.path)
            .map_err(|source| PageError::Unreadable { path: path(), source })?;
        if text.len() as u64 > LARGEST {
            return Err(PageError::TooLarge { path: path() });
        }
        let text = String::from_utf8(text).map_err(|_| PageError::NotText { path: path() })?;
        Ok(Self::of(page.kind, text))
    }

    /// What stands for a page where files are not looked at.
    pub(super) fn unread(page: &ErrorPage) -> Self {
        Self::of(page.kind, format!("(what is in {})", page.path.display()))
    }

    /// Takes a page's text apart.
    pub(super) fn of(kind: PageKind, text: String) -> Self {
        let text = Bytes::from(text);
        let (mut parts, mut begin, mut from) = (Vec::new(), 0, 0);
        while let Some(open) = find(&text, b"{{", from) {
            let Some(close) = find(&text, b"}}", open) else { break };
            from = open + 2;
            let Some(place) = Placeholder::of(text[from..close].trim_ascii()) else { continue };
            parts.push(Part::Text(text.slice(begin..open)));
            parts.push(Part::Place(place));
            (begin, from) = (close + 2, close + 2);
        }
        parts.push(Part::Text(text.slice(begin..)));
        Self { kind, parts }
    }

    /// Its media type.
    pub(super) fn content_type(&self) -> &'static [u8] {
        match self.kind {
            PageKind::Html => super::HTML,
            PageKind::Json => b"application/json",
            PageKind::Text => super::TEXT,
        }
    }

    /// The page, filled in.
    pub(super) fn filled(&self, status: StatusCode, problem: &Problem, request_id: &str) -> Body {
        let filled = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(Placeholder::Status) => Bytes::from(status.as_u16().to_string()),
            Part::Place(Placeholder::Title) => self.written(problem.title),
            Part::Place(Placeholder::Detail) => self.written(problem.detail),
            Part::Place(Placeholder::RequestId) => self.written(request_id),
        });
        filled.filter(|piece| !piece.is_empty()).collect()
    }

    fn written(&self, value: &str) -> Bytes {
        let escaped = match self.kind {
            PageKind::Html => html(value),
            // What stands between the quotation marks of a string.
            PageKind::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned().into()
            }
            PageKind::Text => Cow::Borrowed(value),
        };
        Bytes::copy_from_slice(escaped.as_bytes())
    }
}

/// The file, or one byte more of it than is taken. What is no file, such as a pipe, could make the
/// gateway wait for ever.
fn read_some(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, wanted).map(|at| at + from)
}

impl Placeholder {
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"request_id" => Some(Self::RequestId),
            b"status" => Some(Self::Status),
            b"title" => Some(Self::Title),
            b"detail" => Some(Self::Detail),
            _ => None,
        }
    }
}

/// Text as it stands in HTML. A trusted proxy chooses its request ids as it likes.
fn html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kind: PageKind, text: &str, request_id: &str) -> String {
        let problem = Problem { title: "Not Found", detail: "There is nothing." };
        let body =
            Page::of(kind, text.to_owned()).filled(StatusCode::NOT_FOUND, &problem, request_id);
        String::from_utf8(body.concat()).unwrap()
    }

    #[test]
    fn placeholders_are_filled_in_and_other_braces_stay() {
        for (text, expected) in [
            ("", ""),
            ("{{request_id}}", "id"),
            ("a {{status}} {{ title }} {{detail}} b", "a 404 Not Found There is nothing. b"),
            ("{{ {{request_id}} }}", "{{ id }}"),
            (
                "body { color: red } {{other}} {{request_id",
                "body { color: red } {{other}} {{request_id",
            ),
            ("{{{request_id}}}", "{{{request_id}}}"),
            ("{{}}{{request_id}}{{request_id}}", "{{}}idid"),
        ] {
            assert_eq!(filled(PageKind::Html, text, "id"), expected, "{text}");
        }
    }

    #[test]
    fn a_request_id_cannot_change_the_page() {
        let id = "<b>&'\\";
        assert_eq!(filled(PageKind::Html, "{{request_id}}", id), "&lt;b&gt;&amp;&#39;\\");
        assert_eq!(filled(PageKind::Json, "\"{{request_id}}\"", id), "\"<b>&'\\\\\"");
        assert_eq!(filled(PageKind::Text, "{{request_id}}", id), id);
    }

    #[test]
    fn a_page_has_a_largest_size_and_is_a_file_of_text() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Page::read(&ErrorPage { path, kind: PageKind::Html })
        };
        let largest = vec![b'x'; usize::try_from(LARGEST).unwrap()];
        assert!(read("largest.html", &largest).is_ok());
        let larger = [largest.as_slice(), b"x"].concat();
        assert!(matches!(read("larger.html", &larger), Err(PageError::TooLarge { .. })));
        assert!(matches!(read("latin.html", b"\xe9"), Err(PageError::NotText { .. })));
        for path in ["/dev/zero", "/nowhere/at-all.html", "/"] {
            let page = Page::read(&ErrorPage { path: path.into(), kind: PageKind::Html });
            assert!(matches!(page, Err(PageError::Unreadable { .. })), "{path}: {page:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_a_page_is_lost(
            pieces in proptest::collection::vec("[{}a ]{0,6}|\\{\\{status\\}\\}", 0..12),
        ) {
            let text = pieces.concat();
            let expected = expected(&text);
            proptest::prop_assert_eq!(filled(PageKind::Text, &text, "id"), expected);
        }
    }

    /// What the guide says, written down as slowly as it reads: the first `{{` and the `}}` behind it.
    fn expected(text: &str) -> String {
        let Some(open) = text.find("{{") else { return text.to_owned() };
        let Some(close) = text[open..].find("}}").map(|at| at + open) else {
            return text.to_owned();
        };
        match text[open + 2..close].trim() {
            "status" => format!("{}404{}", &text[..open], expected(&text[close + 2..])),
            _ => format!("{}{}", &text[..open + 2], expected(&text[open + 2..])),
        }
    }
}

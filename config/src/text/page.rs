//! Pages for errors, and which statuses they are for.

use std::path::Path;

use http::StatusCode;

use super::parse_file;
use crate::complaint::{Complaint, quoted};
use crate::model::{ErrorPage, PageKind, StatusPattern};
use crate::problem::Code;
use crate::suggest::nearest;

/// A file whose ending says what it holds.
pub(crate) fn parse_page(text: &str, base: &Path) -> Result<ErrorPage, Complaint> {
    let path = parse_file(text, base)?;
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    let kind = match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => PageKind::Html,
        Some("json") => PageKind::Json,
        Some("txt") => PageKind::Text,
        _ => {
            let message = format!("{} does not say what it holds", quoted(text));
            return Err(Complaint::new(Code::BadFile, message)
                .help("name a file that ends in `.html`, `.json` or `.txt`"));
        }
    };
    Ok(ErrorPage { path, kind })
}

/// A status that is an error, or a class of them: `404`, `5xx`.
pub(crate) fn parse_error_status(text: &str) -> Result<StatusPattern, Complaint> {
    match text {
        "4xx" => return Ok(StatusPattern::Class(4)),
        "5xx" => return Ok(StatusPattern::Class(5)),
        _ => {}
    }
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let status = text.parse().ok().filter(|status| digits && (400..600).contains(status));
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => Ok(StatusPattern::Exact(status)),
        None => Err(not_a_status(text)),
    }
}

fn not_a_status(text: &str) -> Complaint {
    let help = match nearest(text, ["format", "intercept"]) {
        Some(key) => format!("did you mean `{key}`?"),
        None => "write a status from 400 to 599, or `4xx` or `5xx` for all of a class; the other keys here are `format` and `intercept`".into(),
    };
    Complaint::new(Code::BadStatus, format!("{} is not a status of an error", quoted(text)))
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endings_are_compared_without_regard_to_case() {
        for (text, kind) in
            [("a.html", PageKind::Html), ("b/C.HTM", PageKind::Html), ("x.txt", PageKind::Text)]
        {
            let page = parse_page(text, Path::new("/base")).expect(text);
            assert_eq!((page.path, page.kind), (Path::new("/base").join(text), kind));
        }
        for text in ["", "a", "a.", ".html", "a.php", "a.html/"] {
            let page = parse_page(text, Path::new("/base"));
            assert!(page.is_err() || text == "a.html/", "{text}: {page:?}");
        }
    }

    #[test]
    fn only_errors_have_pages() {
        for text in ["4xx", "5xx", "400", "404", "499", "503", "599"] {
            assert_eq!(parse_error_status(text).expect(text).to_string(), text);
        }
        for text in ["", "3xx", "399", "600", "4XX", "40x", "+404", "0404", "404 ", "intercepts"] {
            assert!(parse_error_status(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(status in 400_u16..600) {
            let text = status.to_string();
            prop_assert_eq!(parse_error_status(&text).map(|read| read.to_string()).ok(), Some(text));
        }
    }
}

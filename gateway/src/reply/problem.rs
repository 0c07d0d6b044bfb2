//! What a client is told about an error in words: the status, what it can do, and the id to ask
//! about. Never the cause, which is in the access log under the same id.

use std::sync::LazyLock;

use bytes::Bytes;
use gateway_config::model::PageKind;
use http::StatusCode;
use serde_json::json;

use super::Body;
use super::accept::Form;
use super::page::Page;
use crate::fault::Fault;
use crate::policy::Refused;

const STYLE: &str = include_str!("error.css");

/// Nothing may be loaded or run by the page, and the only style is its own, which is told by its
/// hash: so it looks the same under any policy of the route that lets it keep its own.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     style-src 'sha256-83GcQnXtyr2LqZLzWuM6UOB0zaPceRBVPBFzJMscKpE='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    Page::of(PageKind::Html, include_str!("error.html").replace("{{style}}", STYLE))
});

/// An error in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    /// The status's own name.
    pub(super) title: &'static str,
    /// A sentence or two.
    pub(super) detail: &'static str,
}

impl Problem {
    /// What is told about a fault of the gateway's.
    pub(super) fn of_fault(fault: &Fault, status: StatusCode) -> Self {
        match fault {
            Fault::Refused(Refused::Maintenance { .. }) => {
                let detail = "This service is being worked on. Please come back later.";
                Self { detail, ..Self::of(status) }
            }
            _ => Self::of(status),
        }
    }

    /// What is told about a status.
    pub(super) fn of(status: StatusCode) -> Self {
        let detail = match status.as_u16() {
            400 => "The request could not be understood.",
            401 => "This is only for those who are known here.",
            403 => "Access to this is not allowed.",
            404 => "There is nothing at this address.",
            408 => "The request took too long to arrive.",
            413 => "What was sent is larger than this service takes.",
            421 => "This connection was opened for another host. Loading the page again may help.",
            429 => "There were too many requests. Please wait a moment and try again.",
            431 => "The request's headers are too large. Deleting this site's cookies may help.",
            501 => "The request uses something that is not supported here.",
            502 => "The service gave no usable answer. Please try again in a moment.",
            503 => "The service is not available now. Please try again in a moment.",
            504 => "The service took too long to answer. Please try again in a moment.",
            500..600 => "Something went wrong. Please try again in a moment.",
            _ => "The request could not be served.",
        };
        Self { title: status.canonical_reason().unwrap_or("Error"), detail }
    }

    /// The answer's type and body.
    pub(super) fn told(
        &self,
        form: Form,
        status: StatusCode,
        request_id: &str,
    ) -> (&'static [u8], Body) {
        let one = |text: String| Body::from_elem(Bytes::from(text), 1);
        match form {
            Form::Html => (super::HTML, PAGE.filled(status, self, request_id)),
            Form::Json => (b"application/problem+json", one(self.json(status, request_id))),
            Form::Text => {
                let (number, title) = (status.as_u16(), self.title);
                (super::TEXT, one(format!("{number} {title}\nRequest {request_id}\n")))
            }
        }
    }

    /// RFC 9457: of no type but its status, with the request's id as an extension.
    fn json(&self, status: StatusCode, request_id: &str) -> String {
        let problem = json!({
            "type": "about:blank",
            "title": self.title,
            "status": status.as_u16(),
            "detail": self.detail,
            "request_id": request_id,
        });
        format!("{problem}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_is_the_one_that_the_policy_lets_in() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
        let source = format!("'sha256-{}'", base64(digest.as_ref()));
        assert!(CONTENT_SECURITY_POLICY.contains(&source), "the style's hash is now {source}");
        let html = String::from_utf8(
            PAGE.filled(StatusCode::OK, &Problem::of(StatusCode::OK), "id").concat(),
        );
        let html = html.unwrap();
        assert!(html.contains(&format!("<style>{STYLE}</style>")), "{html}");
        assert!(!html.contains("style=") && !html.contains("<script"), "{html}");
        assert!(!html.contains("{{"), "{html}");
    }

    /// RFC 4648 section 4.
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for piece in bytes.chunks(3) {
            let at = |index: usize| u32::from(piece.get(index).copied().unwrap_or(0));
            let number = at(0) << 16 | at(1) << 8 | at(2);
            for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
                let digit = DIGITS[(number >> shift & 63) as usize] as char;
                text.push(if place <= piece.len() { digit } else { '=' });
            }
        }
        text
    }

    #[test]
    fn json_has_what_rfc_9457_wants() {
        let (kind, body) =
            Problem::of(StatusCode::NOT_FOUND).told(Form::Json, StatusCode::NOT_FOUND, "a\\b<");
        assert_eq!(kind, b"application/problem+json");
        let told: serde_json::Value = serde_json::from_slice(&body.concat()).unwrap();
        assert_eq!(told["type"], "about:blank");
        assert_eq!(told["title"], "Not Found");
        assert_eq!(told["status"], 404);
        assert_eq!(told["request_id"], "a\\b<");
    }

    #[test]
    fn the_page_is_one_packet_long() {
        let (_, body) = Problem::of(StatusCode::BAD_GATEWAY).told(
            Form::Html,
            StatusCode::BAD_GATEWAY,
            "0123456789abcdef0123456789abcdef",
        );
        let length = body.concat().len();
        assert!(length < 2048, "{length} bytes");
    }
}

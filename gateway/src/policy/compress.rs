//! `compress`: whether an answer is compressed, and what its head then says (RFC 9110 section 8.4).

use gateway_config::model::{self, CompressLevels, ContentCoding, MediaRange};
use http::StatusCode;

use crate::head::{Fields, Known, RequestHead, ResponseHead};
use crate::headers::accept_encoding::AcceptEncoding;
use crate::headers::{etag, vary};

/// A route's `compress`.
#[derive(Debug)]
pub(crate) struct Compress(model::Compress);

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) coding: ContentCoding,
    /// Of 1 to 9.
    pub(crate) level: u8,
    /// How long the body is before that, where it is known: a short one needs little memory.
    pub(crate) length: Option<u64>,
}

impl Encoding {
    fn new(coding: ContentCoding, levels: CompressLevels, length: Option<u64>) -> Self {
        let level = match coding {
            ContentCoding::Zstd => levels.zstd,
            ContentCoding::Brotli => levels.br,
            ContentCoding::Gzip => levels.gzip,
        };
        Self { coding, level, length }
    }
}

impl Compress {
    pub(crate) fn of(compress: &model::Compress) -> Self {
        Self(compress.clone())
    }

    /// Decides about an answer, and changes its head where its body is to be compressed.
    pub(crate) fn apply(&self, asked: &RequestHead, head: &mut ResponseHead) -> Option<Encoding> {
        if head.status.is_informational() {
            return None;
        }
        vary::add(&mut head.fields, "Accept-Encoding");
        if head.status == StatusCode::NOT_MODIFIED {
            etag::as_the_client_knows_it(&asked.fields, &mut head.fields);
        }
        let length = content_length(&head.fields);
        let coding = self.coding_for(asked, head, length)?;
        describe(coding, &mut head.fields);
        Some(Encoding::new(coding, self.0.levels, length))
    }

    fn coding_for(
        &self,
        asked: &RequestHead,
        head: &ResponseHead,
        length: Option<u64>,
    ) -> Option<ContentCoding> {
        if !may_be_transformed(asked, head) || !self.is_of_a_type_that_shrinks(&head.fields) {
            return None;
        }
        let accepted = AcceptEncoding::of(&asked.fields);
        let small =
            length.is_some_and(|length| length < self.0.min) && !accepted.refuses_identity();
        if small || length == Some(0) {
            return None;
        }
        accepted.wanted(&self.0.codings).first().copied()
    }

    fn is_of_a_type_that_shrinks(&self, fields: &Fields) -> bool {
        let Some(media_type) = media_type(fields) else { return false };
        match &self.0.types {
            Some(types) => types.iter().any(|range: &MediaRange| range.matches(&media_type)),
            None => shrinks(&media_type),
        }
    }
}

fn content_length(fields: &Fields) -> Option<u64> {
    str::from_utf8(fields.get(Known::ContentLength)?).ok()?.parse().ok()
}

/// Whether an answer has a body that a proxy may send in another coding.
fn may_be_transformed(asked: &RequestHead, head: &ResponseHead) -> bool {
    use StatusCode as S;
    let no_whole_body = matches!(
        head.status,
        S::NO_CONTENT | S::RESET_CONTENT | S::PARTIAL_CONTENT | S::NOT_MODIFIED
    );
    let encoded = head.fields.all(Known::ContentEncoding);
    let mut encoded = encoded.filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    // A digest is of the bytes that were meant to be sent (RFC 9530).
    let digests: [&[u8]; 4] = [b"content-digest", b"repr-digest", b"digest", b"content-md5"];
    !no_whole_body
        && encoded.next().is_none()
        && !says_no_transform(&head.fields)
        && !says_no_transform(&asked.fields)
        && !digests.iter().any(|name| head.fields.has_named(name))
        && !media_type(&head.fields).is_some_and(|media_type| is_a_stream(&media_type))
}

/// RFC 9111 sections 5.2.1.6 and 5.2.2.6.
fn says_no_transform(fields: &Fields) -> bool {
    fields
        .all(Known::CacheControl)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
}

/// The type without its parameters, in lower case.
fn media_type(fields: &Fields) -> Option<String> {
    let value = str::from_utf8(fields.get(Known::ContentType)?).ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// What is read event by event or message by message, each to arrive when it is sent.
fn is_a_stream(media_type: &str) -> bool {
    media_type == "text/event-stream" || media_type.starts_with("application/grpc")
}

/// The types that are not compressed in themselves.
fn shrinks(media_type: &str) -> bool {
    const MORE: [&str; 13] = [
        "application/javascript",
        "application/x-javascript",
        "application/json",
        "application/x-ndjson",
        "application/xml",
        "application/wasm",
        "application/manifest+json",
        "application/vnd.ms-fontobject",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "image/bmp",
        "image/x-icon",
    ];
    media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || MORE.contains(&media_type)
}

/// Says of a head that its body is compressed. How long it will be, nobody knows yet; and what could
/// be asked for in ranges cannot be now.
fn describe(coding: ContentCoding, fields: &mut Fields) {
    fields.retain(|field| {
        let stale = matches!(field.known, Known::ContentLength | Known::ContentEncoding);
        !stale && field.name != b"accept-ranges"
    });
    fields.add_known(Known::ContentEncoding, coding.as_str().as_bytes());
    etag::weaken(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn asked(accept: &str) -> RequestHead {
        let mut head = RequestHead::default();
        head.begin(Method::GET, http::Version::HTTP_11);
        head.fields.add(b"accept-encoding", accept.as_bytes());
        head
    }

    fn answer(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
        let status = StatusCode::from_u16(status).unwrap();
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn compressed(status: u16, fields: &[(&str, &str)]) -> bool {
        let mut head = answer(status, fields);
        let compress = Compress(model::Compress::default());
        let encoding = compress.apply(&asked("gzip"), &mut head);
        assert_eq!(head.fields.get(Known::Vary), Some(&b"Accept-Encoding"[..]));
        assert_eq!(
            encoding.is_some(),
            head.fields.get(Known::ContentEncoding) == Some(&b"gzip"[..])
        );
        encoding.is_some()
    }

    #[test]
    fn what_shrinks_is_compressed() {
        for media_type in [
            "text/html; charset=utf-8",
            "TEXT/CSS",
            "application/json",
            "application/problem+json",
            "image/svg+xml",
            "application/wasm",
            "font/ttf",
        ] {
            assert!(compressed(200, &[("content-type", media_type)]), "{media_type}");
        }
        for media_type in [
            "image/png",
            "font/woff2",
            "video/mp4",
            "application/zip",
            "application/octet-stream",
            "text/event-stream",
            "text/event-stream;charset=utf-8",
            "application/grpc",
            "application/grpc-web+json",
            "",
        ] {
            assert!(!compressed(200, &[("content-type", media_type)]), "{media_type}");
        }
        assert!(!compressed(200, &[]), "an answer without a type may be anything");
    }

    #[test]
    fn what_must_not_be_changed_is_not() {
        let json = ("content-type", "application/json");
        for status in [204, 205, 206, 304] {
            assert!(!compressed(status, &[json]), "{status}");
        }
        for status in [200, 201, 404, 500] {
            assert!(compressed(status, &[json]), "{status}");
        }
        for field in [
            ("cache-control", "public, No-Transform"),
            ("content-length", "1023"),
            ("content-length", "0"),
            ("content-digest", "sha-256=:AAAA:"),
            ("repr-digest", "sha-256=:AAAA:"),
        ] {
            assert!(!compressed(200, &[json, field]), "{field:?}");
        }
        assert!(compressed(200, &[json, ("content-length", "1024")]));
        assert!(compressed(200, &[json, ("content-encoding", "identity")]));
        let mut head = answer(200, &[json, ("content-encoding", "br")]);
        let compress = Compress(model::Compress::default());
        assert_eq!(compress.apply(&asked("gzip"), &mut head), None);
        let mut refusing = asked("gzip");
        refusing.fields.add(b"cache-control", b"no-transform");
        assert_eq!(compress.apply(&refusing, &mut answer(200, &[json])), None);
    }

    #[test]
    fn a_client_that_takes_no_plain_answer_gets_none_however_small() {
        let compress = Compress(model::Compress::default());
        let small = [("content-type", "text/plain"), ("content-length", "5")];
        let encoding = compress.apply(&asked("gzip, identity;q=0"), &mut answer(200, &small));
        assert_eq!(encoding.map(|encoding| encoding.coding), Some(ContentCoding::Gzip));
        assert_eq!(compress.apply(&asked("gzip"), &mut answer(200, &small)), None);
    }

    #[test]
    fn the_head_says_what_has_changed() {
        let compress = Compress(model::Compress::default());
        let mut head = answer(
            200,
            &[
                ("content-type", "text/css"),
                ("content-length", "5000"),
                ("accept-ranges", "bytes"),
                ("etag", "\"abc\""),
                ("vary", "Accept"),
            ],
        );
        assert!(compress.apply(&asked("br;q=0.5, zstd"), &mut head).is_some());
        let said: Vec<_> = head
            .fields
            .iter()
            .map(|field| {
                [field.name, field.value].map(|text| String::from_utf8_lossy(text)).join(": ")
            })
            .collect();
        assert_eq!(
            said,
            [
                "content-type: text/css",
                "vary: Accept, Accept-Encoding",
                "content-encoding: zstd",
                "etag: W/\"abc\""
            ]
        );
    }
}

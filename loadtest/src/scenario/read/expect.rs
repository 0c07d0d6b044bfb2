//! `expect`.

use http::HeaderName;

use super::value::Value;
use crate::scenario::Expect;

/// As many as there are bits for.
const MOST_HEADERS: usize = 32;

pub(super) fn nothing_special() -> Expect {
    Expect { statuses: Vec::new(), headers: Vec::new(), body_contains: None, min_bytes: 0 }
}

pub(super) fn read(value: &Value<'_>) -> Option<Expect> {
    let table = value.table("`expect`")?;
    let expect = Expect {
        statuses: table.read("status", Vec::new(), read_statuses),
        headers: table.read("header", Vec::new(), read_headers),
        body_contains: table
            .read("body_contains", None, |value| Some(Some(value.text()?.to_owned()))),
        min_bytes: table.read("min_bytes", 0, |value| value.number(0..=i64::MAX as u64)),
    };
    table.finish();
    Some(expect)
}

/// One status, or a list of them.
fn read_statuses(value: &Value<'_>) -> Option<Vec<u16>> {
    let status = |value: &Value<'_>| u16::try_from(value.number(200..=599)?).ok();
    if value.is_number() {
        return Some(vec![status(value)?]);
    }
    value.each(status)
}

fn read_headers(value: &Value<'_>) -> Option<Vec<(HeaderName, String)>> {
    let mut headers = Vec::new();
    for (name, span, text) in value.entries()? {
        match HeaderName::try_from(name) {
            Ok(name) => headers.push((name, text.text()?.to_owned())),
            Err(_) => super::request::not_a_header(value, &span, name),
        }
    }
    if headers.len() > MOST_HEADERS {
        value.complain("`header` has more than 32 entries", "keep those that matter");
    }
    Some(headers)
}

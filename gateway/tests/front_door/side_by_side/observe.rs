//! What a client has seen of an answer, as far as the two servers have to agree about it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use hyper::HeaderMap;
use serde_json::Value;

/// Fields of an answer that mean something to a client. What only tells how it was carried, or what
/// the gateway adds for all, is not among them.
const COMPARED: [&str; 20] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-encoding",
    "content-security-policy",
    "location",
    "permissions-policy",
    "referrer-policy",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
    "www-authenticate",
];

/// What one client saw, by what it is about.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, String>);

impl Seen {
    pub(super) fn note(&mut self, about: &str, what: impl Into<String>) {
        self.0.insert(about.to_owned(), what.into());
    }

    /// What was noted about something.
    pub(super) fn of(&self, about: &str) -> &str {
        self.0.get(about).map_or("", String::as_str)
    }

    /// An answer.
    pub(super) fn answer(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut seen = Self::default();
        seen.note("answer", meaning(status));
        for name in COMPARED {
            let values = headers.get_all(name).iter();
            let values: Vec<_> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            match name {
                "access-control-allow-headers"
                | "access-control-allow-methods"
                | "cache-control"
                | "vary" => seen.list(name, &values, status),
                _ if values.is_empty() => {}
                _ => seen.note(name, values.join(" + ")),
            }
        }
        if matches!(status, 429 | 503) {
            let told = headers.contains_key("retry-after") && headers.contains_key("ratelimit");
            let hint = if told { "with" } else { "without" };
            seen.note("answer", format!("{status} {hint} a hint when to come back"));
        }
        if (200..300).contains(&status) && !headers.contains_key("content-encoding") {
            seen.body(body);
        }
        seen
    }

    /// A field that is a list, whose order and whose lines say nothing. Two things are said by one and
    /// left to be understood by the other: that an answer could have been compressed, and that a page
    /// about a mistake is not to be kept.
    fn list(&mut self, name: &str, values: &[Cow<'_, str>], status: u16) {
        let items = values.iter().flat_map(|value| value.split(','));
        let items = items.map(|item| item.trim().to_ascii_lowercase());
        let implied = ["accept-encoding", if status >= 400 { "no-store" } else { "" }];
        let mut items: Vec<_> = items.filter(|item| !implied.contains(&item.as_str())).collect();
        items.sort();
        if !items.is_empty() {
            self.note(name, items.join(", "));
        }
    }

    /// A page about a mistake may look as it likes; anything else is the origin's.
    fn body(&mut self, body: &[u8]) {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(saw)) => {
                for (name, value) in saw {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    self.note(&format!("the origin's {name}"), value);
                }
            }
            _ if body.len() > 100 => self.note("body", format!("{} bytes", body.len())),
            _ => self.note("body", format!("{:?}", String::from_utf8_lossy(body))),
        }
    }

    /// A line for each thing that another client saw otherwise; where that is the answer itself, or who
    /// gave it, nothing else is worth a line.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let about: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let lines = about.into_iter().filter_map(|about| {
            let (before, now) = (self.0.get(about), other.0.get(about));
            let shown = |what: Option<&String>| {
                what.map_or_else(|| "none".to_owned(), |what| shortened(what))
            };
            (before != now).then(|| format!("{about}: {} -> {}", shown(before), shown(now)))
        });
        let lines: Vec<String> = lines.collect();
        // Where one asked an origin and the other answered by itself, what the origin saw is no news.
        let decisive = ["answer: ", "the origin's request: "];
        let first =
            decisive.iter().find_map(|about| lines.iter().find(|line| line.starts_with(about)));
        match first {
            Some(line) => vec![line.clone()],
            None => lines,
        }
    }
}

/// Nobody needs to see a whole policy.
fn shortened(what: &str) -> String {
    match what.char_indices().nth(90) {
        Some((end, _)) => format!("{}…", &what[..end]),
        None => what.to_owned(),
    }
}

/// 308 is 301 without the history: both say that a move is for good.
fn meaning(status: u16) -> String {
    match status {
        301 | 308 => "moved for good".to_owned(),
        status => status.to_string(),
    }
}

//! What a route does to its answers besides their headers.

use gateway_config::model::{self, CorsOrigins, Policy};
use gateway_config::{format_duration, format_size};
use http::{HeaderName, Method};
use serde::Serialize;

use crate::head::{Known, RequestHead};
use crate::headers::accept_encoding::AcceptEncoding;
use crate::policy::deny_paths::ends_with;

/// `cors`, and what it says about this request.
#[derive(Debug, Serialize)]
pub(crate) struct CorsFacts {
    /// `*` is every origin.
    pub(crate) origins: Vec<String>,
    pub(crate) credentials: bool,
    pub(crate) methods: Vec<String>,
    /// The headers that may be asked for; none where all may.
    pub(crate) headers: Option<Vec<String>>,
    pub(crate) expose: Vec<String>,
    /// How long a browser may remember the answer to a preflight.
    pub(crate) max_age: Option<String>,
    /// The origin that the request names.
    pub(crate) origin: Option<String>,
    /// Whether that origin may read the answer.
    pub(crate) readable: bool,
}

/// One entry of `cache_control`.
#[derive(Debug, Serialize)]
pub(crate) struct CacheControlFacts {
    pub(crate) suffixes: Vec<String>,
    pub(crate) value: String,
    /// Whether it is the one that fits this path.
    pub(crate) applies: bool,
}

/// `compress`, and what this client takes of it.
#[derive(Debug, Serialize)]
pub(crate) struct CompressFacts {
    pub(crate) algorithms: Vec<String>,
    /// The shortest answer that is compressed.
    pub(crate) min: String,
    /// The types that are; none where they are those that shrink.
    pub(crate) types: Option<Vec<String>>,
    /// What an answer to this request is compressed with; none where the client takes nothing.
    pub(crate) chosen: Option<&'static str>,
}

impl CompressFacts {
    pub(super) fn of(compress: &model::Compress, asked: &RequestHead) -> Self {
        let wanted = AcceptEncoding::of(&asked.fields).wanted(&compress.codings);
        let types = compress.types.as_ref();
        Self {
            algorithms: compress.codings.iter().map(ToString::to_string).collect(),
            min: format_size(compress.min),
            types: types.map(|types| types.iter().map(ToString::to_string).collect()),
            chosen: wanted.first().map(|coding| coding.as_str()),
        }
    }
}

impl CorsFacts {
    pub(super) fn of(cors: &model::Cors, asked: &RequestHead) -> Self {
        let names = |names: &[HeaderName]| names.iter().map(ToString::to_string).collect();
        let origin = asked.fields.get(Known::Origin);
        let origin = origin.map(|origin| String::from_utf8_lossy(origin).into_owned());
        let (origins, readable) = match &cors.origins {
            CorsOrigins::Any => (vec!["*".to_owned()], true),
            CorsOrigins::Listed(listed) => {
                let readable = origin
                    .as_ref()
                    .is_some_and(|origin| listed.iter().any(|pattern| pattern.matches(origin)));
                (listed.iter().map(ToString::to_string).collect(), readable)
            }
        };
        Self {
            origins,
            credentials: cors.credentials,
            methods: cors.methods.iter().map(Method::to_string).collect(),
            headers: cors.headers.as_deref().map(names),
            expose: names(&cors.expose),
            max_age: cors.max_age.map(format_duration),
            origin,
            readable,
        }
    }
}

impl CacheControlFacts {
    pub(super) fn of(policy: &Policy, path: &str) -> Vec<Self> {
        let fits = |entry: &model::CacheControl| {
            entry.suffixes.iter().any(|suffix| ends_with(path, suffix))
        };
        let first = policy.cache_control.iter().position(fits);
        let entries = policy.cache_control.iter().enumerate();
        entries
            .map(|(index, entry)| Self {
                suffixes: entry.suffixes.clone(),
                value: String::from_utf8_lossy(entry.value.as_bytes()).into_owned(),
                applies: first == Some(index),
            })
            .collect()
    }
}

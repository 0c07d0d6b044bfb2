//! `cors`: what browsers are told about requests from other origins (WHATWG Fetch, "CORS protocol").

use gateway_config::model::{self, CorsOrigins, OriginPattern};
use http::{HeaderName, Method};

use super::Refused;
use crate::head::{Fields, Known, RequestHead};
use crate::headers::vary;

/// The longest list of headers that a preflight may ask for and have repeated.
const LONGEST_REQUEST: usize = 4096;

/// A route's `cors`, with everything that is always the same as it is sent.
#[derive(Debug)]
pub(crate) struct Cors {
    /// `None`: every origin.
    origins: Option<Vec<OriginPattern>>,
    credentials: bool,
    methods: Vec<Method>,
    /// `None`: every header.
    headers: Option<Vec<HeaderName>>,
    allow_methods: String,
    expose: String,
    max_age: Option<String>,
}

/// A question of a browser, before it sends the request itself.
struct Preflight<'r> {
    method: &'r [u8],
}

impl Preflight<'_> {
    /// The preflight that a request is, if it is one.
    fn of(asked: &RequestHead) -> Option<Preflight<'_>> {
        if asked.method != Method::OPTIONS || !asked.fields.has(Known::Origin) {
            return None;
        }
        let method = asked.fields.named(b"access-control-request-method").next()?;
        Some(Preflight { method })
    }
}

impl Cors {
    pub(crate) fn of(cors: &model::Cors) -> Self {
        let names = cors.methods.iter().map(Method::as_str);
        Self {
            origins: match &cors.origins {
                CorsOrigins::Any => None,
                CorsOrigins::Listed(origins) => Some(origins.clone()),
            },
            credentials: cors.credentials,
            methods: cors.methods.clone(),
            headers: cors.headers.clone(),
            allow_methods: names.collect::<Vec<_>>().join(", "),
            expose: listed(&cors.expose),
            max_age: cors.max_age.map(|age| age.as_secs().to_string()),
        }
    }

    /// Whether a request is a preflight, which is answered here and never gets further.
    ///
    /// # Errors
    /// [`Refused::Preflight`], where what it asks for is not allowed.
    pub(crate) fn is_preflight(&self, asked: &RequestHead) -> Result<bool, Refused> {
        let Some(preflight) = Preflight::of(asked) else { return Ok(false) };
        if self.allowed_origin(&asked.fields).is_none() {
            return Err(Refused::Preflight("its origin is not one of `cors`"));
        }
        if !self.methods.iter().any(|method| method.as_str().as_bytes() == preflight.method) {
            return Err(Refused::Preflight("`cors` does not name the method that it asks for"));
        }
        self.check_headers(&asked.fields)?;
        Ok(true)
    }

    fn check_headers(&self, asked: &Fields) -> Result<(), Refused> {
        let mut length = 0;
        for name in requested_headers(asked) {
            length += name.len();
            let name = HeaderName::from_bytes(name).ok().filter(|_| length <= LONGEST_REQUEST);
            let Some(name) = name else {
                return Err(Refused::Preflight("what it asks for is no list of headers"));
            };
            if self.headers.as_ref().is_some_and(|allowed| !allowed.contains(&name)) {
                return Err(Refused::Preflight("`cors` does not name a header that it asks for"));
            }
        }
        Ok(())
    }

    /// Says on an answer, whoever made it, what the route says about the origin that asks. What the
    /// upstream said about that is dropped.
    pub(crate) fn apply(&self, asked: &RequestHead, fields: &mut Fields) {
        fields.retain(|field| !field.name.starts_with(b"access-control-"));
        if self.origins.is_some() {
            vary::add(fields, "Origin");
        }
        let Some(origin) = self.allowed_origin(&asked.fields) else { return };
        fields.add(b"access-control-allow-origin", origin);
        if self.credentials {
            fields.add(b"access-control-allow-credentials", b"true");
        }
        if Preflight::of(asked).is_some() {
            self.answer_preflight(&asked.fields, fields);
        } else if !self.expose.is_empty() {
            fields.add(b"access-control-expose-headers", self.expose.as_bytes());
        }
    }

    fn answer_preflight(&self, asked: &Fields, fields: &mut Fields) {
        fields.add(b"access-control-allow-methods", self.allow_methods.as_bytes());
        let allowed = match &self.headers {
            Some(headers) => listed(headers).into_bytes(),
            // Only what has passed the check comes back.
            None if self.check_headers(asked).is_ok() => {
                requested_headers(asked).collect::<Vec<_>>().join(&b", "[..])
            }
            None => Vec::new(),
        };
        if !allowed.is_empty() {
            fields.add(b"access-control-allow-headers", &allowed);
        }
        if let Some(age) = &self.max_age {
            fields.add(b"access-control-max-age", age.as_bytes());
        }
    }

    /// What stands in `Access-Control-Allow-Origin` for a request; `None` where it comes from an
    /// origin that may not read the answer, or does not say.
    fn allowed_origin<'r>(&self, asked: &'r Fields) -> Option<&'r [u8]> {
        let Some(origins) = &self.origins else { return Some(b"*") };
        let mut said = asked.all(Known::Origin);
        let (Some(origin), None) = (said.next(), said.next()) else { return None };
        let text = str::from_utf8(origin).ok()?;
        origins.iter().any(|pattern| pattern.matches(text)).then_some(origin)
    }
}

fn listed(names: &[HeaderName]) -> String {
    names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ")
}

/// The headers that a preflight asks for.
fn requested_headers(asked: &Fields) -> impl Iterator<Item = &[u8]> {
    asked
        .named(b"access-control-request-headers")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Version;

    fn cors(keys: &str) -> Cors {
        let text = format!(
            "[site.\"a.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", to = \"a:1\", cors = {{ {keys} }} }}]\n"
        );
        let loaded = gateway_config::parse("a", &text, std::path::Path::new("/")).unwrap();
        Cors::of(loaded.config.sites[0].routes[0].policy.cors.as_ref().unwrap())
    }

    fn asked(method: Method, fields: &[(&str, &str)]) -> RequestHead {
        let mut head = RequestHead::default();
        head.begin(method, Version::HTTP_11);
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn preflight(origin: &str, method: &str, headers: &str) -> RequestHead {
        asked(
            Method::OPTIONS,
            &[
                ("origin", origin),
                ("access-control-request-method", method),
                ("access-control-request-headers", headers),
            ],
        )
    }

    fn said(fields: &Fields, name: &str) -> String {
        let values: Vec<_> = fields.named(name.as_bytes()).map(String::from_utf8_lossy).collect();
        values.join("|")
    }

    #[test]
    fn a_preflight_is_allowed_by_origin_method_and_headers() {
        let cors = cors(
            "origins = [\"https://a.test\"], methods = [\"GET\", \"PUT\"], headers = [\"X-A\"]",
        );
        let allowed =
            |head: &RequestHead| cors.is_preflight(head).map_err(|error| error.to_string());
        assert_eq!(allowed(&preflight("https://a.test", "PUT", "x-a")), Ok(true));
        assert_eq!(allowed(&preflight("https://a.test", "GET", "")), Ok(true));
        for refused in [
            preflight("https://b.test", "PUT", "x-a"),
            preflight("null", "PUT", "x-a"),
            preflight("https://a.test", "POST", "x-a"),
            preflight("https://a.test", "put", "x-a"),
            preflight("https://a.test", "PUT", "x-a, x-b"),
            preflight("https://a.test", "PUT", "x a"),
        ] {
            assert!(allowed(&refused).is_err(), "{refused:?}");
        }
        let plain = asked(Method::OPTIONS, &[("origin", "https://a.test")]);
        assert_eq!(allowed(&plain), Ok(false), "OPTIONS alone is the upstream's to answer");
        let get = asked(Method::GET, &[("access-control-request-method", "GET")]);
        assert_eq!(allowed(&get), Ok(false));
    }

    #[test]
    fn without_a_list_the_headers_that_are_asked_for_are_allowed_and_nothing_else_comes_back() {
        let cors = cors("origins = [\"https://a.test\"]");
        let mut fields = Fields::default();
        cors.apply(&preflight("https://a.test", "PUT", "x-a,  x-b ,"), &mut fields);
        assert_eq!(said(&fields, "access-control-allow-headers"), "x-a, x-b");
        let mut fields = Fields::default();
        cors.apply(&preflight("https://a.test", "PUT", "x-a, <script>"), &mut fields);
        assert_eq!(said(&fields, "access-control-allow-headers"), "");
        let many = "x-aaaaaaaa,".repeat(1000);
        assert!(cors.is_preflight(&preflight("https://a.test", "PUT", &many)).is_err());
    }

    #[test]
    fn what_the_upstream_says_is_replaced() {
        let cors = cors("origins = [\"https://a.test\"], credentials = true, expose = [\"X-A\"]");
        let mut fields = Fields::default();
        fields.add(b"Access-Control-Allow-Origin", b"*");
        fields.add(b"access-control-max-age", b"1");
        fields.add(b"vary", b"Accept");
        cors.apply(&asked(Method::GET, &[("origin", "https://a.test")]), &mut fields);
        assert_eq!(said(&fields, "access-control-allow-origin"), "https://a.test");
        assert_eq!(said(&fields, "access-control-allow-credentials"), "true");
        assert_eq!(said(&fields, "access-control-expose-headers"), "x-a");
        assert_eq!(said(&fields, "access-control-max-age"), "");
        assert_eq!(said(&fields, "vary"), "Accept, Origin");
        let mut fields = Fields::default();
        fields.add(b"access-control-allow-origin", b"https://b.test");
        cors.apply(&asked(Method::GET, &[("origin", "https://b.test")]), &mut fields);
        assert_eq!(said(&fields, "access-control-allow-origin"), "");
        assert_eq!(said(&fields, "vary"), "Origin", "the answer depends on it all the same");
    }

    #[test]
    fn two_origins_are_none() {
        let cors = cors("origins = [\"https://a.test\"]");
        let twice = [("origin", "https://a.test"), ("origin", "https://b.test")];
        let mut fields = Fields::default();
        cors.apply(&asked(Method::GET, &twice), &mut fields);
        assert_eq!(said(&fields, "access-control-allow-origin"), "");
    }
}

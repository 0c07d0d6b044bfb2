//! What a limit counts together.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway_config::model::{Counting, Limit, LimitKey};
use http::Method;

use crate::asked::websocket;
use crate::head::RequestHead;
use crate::headers::cookies;

/// Everything that counts together: a client, and the kind of its requests. Of a header's or a
/// cookie's value it holds a hash that only this process can compute, so a table of keys gives no
/// value away, and nobody can choose values that fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientKey {
    bits: u64,
    whose: Whose,
    kind: Kind,
}

/// What the bits are of: an IPv4 address; an IPv6 /64, the least that one subscriber gets
/// (RFC 6177); or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    V4,
    V6,
    Value,
}

/// Requests that may count apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Page,
    Asset,
    WebSocket,
}

impl Hash for ClientKey {
    /// In nine bytes: this is done for every request.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.bits);
        state.write_u8((self.whose as u8) << 2 | self.kind as u8);
    }
}

impl ClientKey {
    /// The key of an address.
    pub(crate) fn of(client: IpAddr) -> Self {
        let (bits, whose) = match client.to_canonical() {
            IpAddr::V4(v4) => (u64::from(v4.to_bits()), Whose::V4),
            IpAddr::V6(v6) => ((v6.to_bits() >> 64) as u64, Whose::V6),
        };
        Self { bits, whose, kind: Kind::Page }
    }

    /// Whether it is of a header's or a cookie's value, and not of an address.
    pub(crate) fn is_of_a_value(self) -> bool {
        self.whose == Whose::Value
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Page => {}
            Kind::Asset => f.write_str("the assets of ")?,
            Kind::WebSocket => f.write_str("the WebSockets of ")?,
        }
        match self.whose {
            #[expect(clippy::cast_possible_truncation, reason = "it was made from 32 bits")]
            Whose::V4 => Ipv4Addr::from_bits(self.bits as u32).fmt(f),
            Whose::V6 => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(self.bits) << 64)),
            Whose::Value => f.write_str("its value"),
        }
    }
}

/// Finds a request's key.
pub(super) struct Keys {
    key: LimitKey,
    secret: RandomState,
    assets: Counting,
    websockets: Counting,
    asset_suffixes: Vec<String>,
}

impl Keys {
    pub(super) fn new(limit: &Limit, websockets: Counting) -> Self {
        Self {
            key: limit.key.clone(),
            secret: RandomState::new(),
            assets: limit.assets,
            websockets,
            asset_suffixes: limit.asset_suffixes.clone(),
        }
    }

    /// `None`: the request does not count.
    pub(super) fn of(&self, asked: &RequestHead, client: IpAddr, path: &str) -> Option<ClientKey> {
        let kind = self.kind(asked, path)?;
        let key = self.value(asked).map_or_else(
            || ClientKey::of(client),
            |value| ClientKey {
                bits: self.secret.hash_one(value),
                whose: Whose::Value,
                kind: Kind::Page,
            },
        );
        Some(ClientKey { kind, ..key })
    }

    fn kind(&self, asked: &RequestHead, path: &str) -> Option<Kind> {
        let counting = |counting, kind| match counting {
            Counting::Apart => Some(kind),
            Counting::Together => Some(Kind::Page),
            Counting::Skip => None,
        };
        if websocket(asked).is_some() {
            return counting(self.websockets, Kind::WebSocket);
        }
        if self.assets != Counting::Together && self.is_asset(&asked.method, path) {
            return counting(self.assets, Kind::Asset);
        }
        Some(Kind::Page)
    }

    fn is_asset(&self, method: &Method, path: &str) -> bool {
        let path = path.as_bytes();
        // Most paths end in a name without a dot, and need not be looked at any closer.
        let dot = memchr::memrchr2(b'.', b'/', path).is_some_and(|at| path[at] == b'.');
        let ends = |suffix: &String| {
            let at = path.len().checked_sub(suffix.len());
            at.is_some_and(|at| path[at..].eq_ignore_ascii_case(suffix.as_bytes()))
        };
        dot && matches!(*method, Method::GET | Method::HEAD) && self.asset_suffixes.iter().any(ends)
    }

    /// The value that the limit tells clients apart by, where the request has exactly one: whoever
    /// sends two would be counted by one and served by the other.
    fn value<'h>(&'h self, asked: &'h RequestHead) -> Option<&'h [u8]> {
        match &self.key {
            LimitKey::ClientIp => None,
            LimitKey::Header(name) => only(asked.fields.named(name.as_str().as_bytes())),
            LimitKey::Cookie(name) => only(cookies::values(&asked.fields, name)),
        }
    }
}

fn only<'h>(mut values: impl Iterator<Item = &'h [u8]>) -> Option<&'h [u8]> {
    let value = values.next().filter(|value| !value.is_empty());
    value.filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_config::model::Measure;
    use std::num::NonZeroU32;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn keys(key: LimitKey, assets: Counting, websockets: Counting) -> Keys {
        let limit = Limit {
            name: "x".into(),
            measure: Measure::Concurrent(NonZeroU32::MIN),
            key,
            assets,
            websockets,
            asset_suffixes: vec![".js".into(), ".tar.gz".into()],
            dry_run: false,
        };
        Keys::new(&limit, websockets)
    }

    fn asked(method: Method, fields: &[(&str, &str)]) -> RequestHead {
        let mut head = RequestHead::default();
        head.begin(method, http::Version::HTTP_11);
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        head
    }

    #[test]
    fn ipv6_counts_by_64_and_mapped_addresses_count_as_ipv4() {
        let key = |text: &str| ClientKey::of(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("::"), key("0.0.0.0"));
        assert_eq!(key("2001:db8:0:1:2::1").to_string(), "2001:db8:0:1::/64");
        assert_eq!(key("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    }

    #[test]
    fn assets_and_websockets_count_as_the_limit_says() {
        let get = asked(Method::GET, &[]);
        let socket = asked(Method::GET, &[("upgrade", "websocket")]);
        let post = asked(Method::POST, &[]);
        let apart = keys(LimitKey::ClientIp, Counting::Apart, Counting::Apart);
        let kind = |keys: &Keys, asked: &RequestHead, path: &str| {
            keys.of(asked, CLIENT, path).map(|key| key.kind)
        };
        for (path, expected) in [
            ("/", Kind::Page),
            ("/app.js", Kind::Asset),
            ("/a.b/APP.JS", Kind::Asset),
            ("/x.tar.gz", Kind::Asset),
            ("/x.gz", Kind::Page),
            ("/app.js/items", Kind::Page),
            ("/js", Kind::Page),
            ("/.js", Kind::Asset),
            ("/app.json", Kind::Page),
        ] {
            assert_eq!(kind(&apart, &get, path), Some(expected), "{path}");
            assert_eq!(kind(&apart, &post, path), Some(Kind::Page), "POST {path}");
        }
        assert_eq!(kind(&apart, &socket, "/app.js"), Some(Kind::WebSocket));
        let together = keys(LimitKey::ClientIp, Counting::Together, Counting::Together);
        assert_eq!(kind(&together, &get, "/app.js"), Some(Kind::Page));
        assert_eq!(kind(&together, &socket, "/"), Some(Kind::Page));
        let skip = keys(LimitKey::ClientIp, Counting::Skip, Counting::Skip);
        assert_eq!(kind(&skip, &get, "/app.js"), None);
        assert_eq!(kind(&skip, &socket, "/"), None);
        assert_eq!(kind(&skip, &get, "/"), Some(Kind::Page));
    }

    #[test]
    fn a_value_counts_where_there_is_exactly_one() {
        let header = LimitKey::Header(http::HeaderName::from_static("x-api-key"));
        let by_header = keys(header, Counting::Apart, Counting::Apart);
        let by_cookie = keys(LimitKey::Cookie("sid".into()), Counting::Apart, Counting::Apart);
        let address = ClientKey::of(CLIENT);
        let key = |keys: &Keys, fields: &[(&str, &str)]| {
            keys.of(&asked(Method::GET, fields), CLIENT, "/").unwrap()
        };
        let own = key(&by_header, &[("x-api-key", "a")]);
        assert_ne!(own, address);
        assert_eq!(key(&by_header, &[("x-api-key", "a"), ("x-other", "b")]), own);
        assert_ne!(key(&by_header, &[("x-api-key", "b")]), own);
        for fields in [&[][..], &[("x-api-key", "")], &[("x-api-key", "a"), ("x-api-key", "b")]] {
            assert_eq!(key(&by_header, fields), address, "{fields:?}");
        }
        let own = key(&by_cookie, &[("cookie", "a=1; sid=x; b=2")]);
        assert_eq!(key(&by_cookie, &[("cookie", "sid=x")]), own);
        assert_eq!(key(&by_cookie, &[("cookie", "a=1"), ("cookie", " sid = x")]), own);
        assert_ne!(key(&by_cookie, &[("cookie", "sid=y")]), own);
        for cookie in ["", "a=1", "sid=", "sid", "SID=x", "xsid=x", "sidx=x", "sid=x; sid=y"] {
            assert_eq!(key(&by_cookie, &[("cookie", cookie)]), address, "{cookie}");
        }
    }
}

//! Names that the gateway has an opinion about.

/// Makes the enum, its names, and the lookup of one by the other.
macro_rules! known {
    ($($variant:ident = $name:literal,)*) => {
        /// A field's name, recognised.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Known {
            $($variant,)*
            /// Any other.
            Other,
        }

        impl Known {
            /// Recognises a name in lower case.
            pub(crate) fn of(name: &[u8]) -> Self {
                $(const $variant: &[u8] = $name.as_bytes();)*
                match name {
                    $($variant => Self::$variant,)*
                    _ => Self::Other,
                }
            }

            /// The name in lower case; empty for [`Self::Other`].
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other => "",
                }
            }
        }
    };
}

#[expect(non_upper_case_globals, reason = "constants of the names of variants, to match against")]
mod names {
    known! {
        AcceptEncoding = "accept-encoding",
        Authorization = "authorization",
        CacheControl = "cache-control",
        CfConnectingIp = "cf-connecting-ip",
        Connection = "connection",
        ContentEncoding = "content-encoding",
        ContentLength = "content-length",
        ContentType = "content-type",
        Cookie = "cookie",
        Date = "date",
        Etag = "etag",
        Expect = "expect",
        FastlyClientIp = "fastly-client-ip",
        Forwarded = "forwarded",
        Host = "host",
        Http2Settings = "http2-settings",
        KeepAlive = "keep-alive",
        LastModified = "last-modified",
        Location = "location",
        Origin = "origin",
        Proxy = "proxy",
        ProxyAuthenticate = "proxy-authenticate",
        ProxyAuthorization = "proxy-authorization",
        ProxyConnection = "proxy-connection",
        RateLimit = "ratelimit",
        RateLimitPolicy = "ratelimit-policy",
        Referer = "referer",
        RetryAfter = "retry-after",
        Server = "server",
        SetCookie = "set-cookie",
        Te = "te",
        Traceparent = "traceparent",
        Trailer = "trailer",
        TransferEncoding = "transfer-encoding",
        TrueClientIp = "true-client-ip",
        Upgrade = "upgrade",
        UserAgent = "user-agent",
        Vary = "vary",
        XClientIp = "x-client-ip",
        XClusterClientIp = "x-cluster-client-ip",
        XForwardedFor = "x-forwarded-for",
        XForwardedHost = "x-forwarded-host",
        XForwardedProto = "x-forwarded-proto",
        XOriginalUrl = "x-original-url",
        XRealIp = "x-real-ip",
        XRequestId = "x-request-id",
        XRewriteUrl = "x-rewrite-url",
    }
}

pub(crate) use names::Known;

/// Which names occur in a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Set(u64);

const _: () = assert!((Known::Other as u8) < 64, "a set has 64 places");

impl Set {
    pub(super) fn of(names: impl Iterator<Item = Known>) -> Self {
        let mut set = Self::default();
        names.for_each(|name| set.insert(name));
        set
    }

    pub(super) fn insert(&mut self, name: Known) {
        self.0 |= 1 << name as u8;
    }

    pub(super) fn contains(self, name: Known) -> bool {
        self.0 & (1 << name as u8) != 0
    }
}

//! The small languages inside strings, as they are described to people and to editors.

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Duration,
    DurationOrZero,
    Size,
    Rate,
    Name,
    LimitName,
    Listen,
    Admin,
    Dns,
    Network,
    ProxySource,
    Host,
    Path,
    Suffix,
    Ending,
    CookieName,
    Bandwidth,
    Origin,
    Method,
    CorsHeader,
    FileBelow,
    MediaRange,
    File,
    Page,
    ErrorStatus,
    Folder,
    Server,
    Target,
    Url,
    Location,
    Rewrite,
    PathPrefix,
    HeaderName,
    HeaderValue,
    Contact,
    Directory,
    Word,
    KeyName,
    Variable,
    Api,
    Argument,
    Event,
    User,
    PasswordHash,
    ServicePath,
    KeySet,
    Include,
}

/// How one format is described.
struct Description {
    /// For "expected …".
    phrase: &'static str,
    /// For "a list of …".
    plural: &'static str,
    /// A pattern (ECMA 262) that every good value matches, for editors; the reader is stricter.
    pattern: Option<&'static str>,
}

impl Format {
    pub(crate) fn phrase(self) -> &'static str {
        self.description().phrase
    }

    pub(crate) fn plural(self) -> &'static str {
        self.description().plural
    }

    pub(crate) fn pattern(self) -> Option<&'static str> {
        self.description().pattern
    }

    const fn description(self) -> Description {
        const fn of(
            phrase: &'static str,
            plural: &'static str,
            pattern: Option<&'static str>,
        ) -> Description {
            Description { phrase, plural, pattern }
        }
        const DURATION: Option<&str> = Some("^([0-9]+(ms|s|m|h|d))+$");
        const ADDRESS: Option<&str> = Some(":[0-9]+$");
        match self {
            Self::Plain => of("a string", "strings", None),
            Self::Duration => of("a duration such as \"30s\"", "durations", DURATION),
            Self::DurationOrZero => {
                of("a duration such as \"30s\" or \"0s\"", "durations", DURATION)
            }
            Self::Size => of("a size such as \"10MiB\"", "sizes", Some("^[0-9]+([KMGT]i?|k)?B$")),
            Self::Rate => of("a rate such as \"10/s\"", "rates", Some("^[0-9]+/(s|min|h|d)$")),
            Self::Name => of("a name", "names", Some("^[A-Za-z0-9_-]+$")),
            Self::LimitName => {
                of("the name of a limit", "names of limits", Some("^[A-Za-z0-9_-]+$"))
            }
            Self::Listen => {
                of("an address such as \"[::]:443\"", "addresses such as \"[::]:443\"", ADDRESS)
            }
            Self::Admin => of(
                "an address such as \"127.0.0.1:9180\", or \"off\"",
                "addresses",
                Some("^off$|:[0-9]+$"),
            ),
            Self::Dns => {
                of("an address such as \"1.1.1.1\"", "addresses such as \"1.1.1.1\"", None)
            }
            Self::Network => of(
                "a network such as \"10.0.0.0/8\", or \"private\"",
                "networks such as \"10.0.0.0/8\"",
                None,
            ),
            Self::ProxySource => of(
                "\"cloudflare\", \"private\" or a network such as \"10.0.0.0/8\"",
                "\"cloudflare\", \"private\" and networks such as \"10.0.0.0/8\"",
                None,
            ),
            Self::Host => {
                of("a host such as \"example.com\"", "hosts such as \"example.com\"", None)
            }
            Self::Path => of("a path such as \"/x\" or \"/x/*\"", "paths", Some("^/")),
            Self::Suffix => {
                of("a pattern such as \"*.bak\"", "patterns such as \"*.bak\"", Some("^\\*\\.."))
            }
            Self::Ending => {
                of("an ending such as \".js\"", "endings such as \".js\"", Some("^\\.."))
            }
            Self::CookieName => {
                of("the name of a cookie", "names of cookies", Some("^[^\\s=;,]+$"))
            }
            Self::Bandwidth => {
                of("a bandwidth such as \"1MiB/s\"", "bandwidths", Some("^[0-9]+([KMGT]i?|k)?B/s$"))
            }
            Self::Origin => of(
                "an origin such as \"https://app.example.com\"",
                "origins such as \"https://app.example.com\"",
                Some("^\\*$|^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+$"),
            ),
            Self::Method => of("a method such as \"GET\"", "methods", Some("^[^\\s,*]+$")),
            Self::MediaRange => of(
                "a media type such as \"text/html\" or \"text/*\"",
                "media types such as \"text/*\"",
                Some("^[^\\s/;]+/[^\\s/;]+$"),
            ),
            Self::CorsHeader => of("a header name", "header names", Some("^[^\\s:*]+$")),
            Self::File => of("a file name", "file names", Some(".")),
            Self::FileBelow => {
                of("a file name such as \"index.html\"", "file names", Some("^[^./][^\\\\]*$"))
            }
            Self::Page => of(
                "a file such as \"404.html\"",
                "files such as \"404.html\"",
                Some("\\.([Hh][Tt][Mm][Ll]?|[Jj][Ss][Oo][Nn]|[Tt][Xx][Tt])$"),
            ),
            Self::ErrorStatus => {
                of("a status such as 404, or 5xx", "statuses", Some("^[45]([0-9][0-9]|xx)$"))
            }
            Self::Folder => of("a folder's name", "folder names", Some(".")),
            Self::Server => of(
                "a server such as \"backend:8000\"",
                "servers such as \"backend:8000\"",
                Some(":"),
            ),
            Self::Target => of(
                "a server such as \"backend:8000\", or the name of an upstream",
                "servers",
                Some("."),
            ),
            Self::Url => {
                of("a URL such as \"https://example.com\"", "URLs", Some("^[Hh][Tt][Tt][Pp][Ss]?:"))
            }
            Self::Location => of(
                "a URL such as \"https://example.com\", or a path such as \"/new\"",
                "URLs",
                Some("^(/|[Hh][Tt][Tt][Pp][Ss]?:)"),
            ),
            Self::Rewrite => of("a path such as \"/new\" or \"/new/*\"", "paths", Some("^/")),
            Self::PathPrefix => of("a path such as \"/api\"", "paths", Some("^/")),
            Self::HeaderName => of("a header name", "header names", Some("^[^\\s:]+$")),
            Self::HeaderValue => of("a header value", "header values", None),
            Self::Contact => of(
                "a URL such as \"mailto:ops@example.com\"",
                "URLs such as \"mailto:ops@example.com\"",
                Some("^[Mm][Aa][Ii][Ll][Tt][Oo]:.+@"),
            ),
            Self::Directory => of(
                "the name of a CA such as \"letsencrypt\", or the https URL of its directory",
                "names of CAs, URLs and tables",
                Some("^(letsencrypt|letsencrypt-staging|zerossl|google|[Hh][Tt][Tt][Pp][Ss]?:.*)$"),
            ),
            Self::Word => of("a word", "words", Some("^\\S+$")),
            Self::KeyName => of("the name of a key", "names of keys", Some("^[A-Za-z0-9_.-]+$")),
            Self::Variable => of(
                "the name of an environment variable",
                "names of environment variables",
                Some("^[A-Za-z_][A-Za-z0-9_]*$"),
            ),
            Self::Api => of(
                "a URL such as \"https://api.example.com/v4\"",
                "URLs",
                Some("^[Hh][Tt][Tt][Pp][Ss]?:"),
            ),
            Self::User => of("the name of a user", "names of users", Some("^[^:]+$")),
            Self::PasswordHash => of(
                "the hash of a password, by argon2 or bcrypt",
                "hashes of passwords",
                Some("^\\$(argon2id|argon2i|2[aby])\\$"),
            ),
            Self::ServicePath => {
                of("a path such as \"/api/authz/forward-auth\"", "paths", Some("^/"))
            }
            Self::KeySet => of(
                "the URL of a key set such as \"https://id.example.com/jwks.json\", or a file name",
                "URLs",
                Some("."),
            ),
            Self::Event => of(
                "an event such as \"push\" or \"workflow_job.queued\"",
                "events such as \"push\"",
                Some("^[a-z0-9_-]+(\\.[a-z0-9_-]+)?$"),
            ),
            Self::Include => of(
                "a pattern of files such as \"sites/*.toml\"",
                "patterns of files such as \"sites/*.toml\"",
                Some("."),
            ),
            Self::Argument => of("an argument", "arguments, the program first", None),
        }
    }
}

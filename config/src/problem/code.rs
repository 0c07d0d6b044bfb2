//! Every kind of problem, in one table.

use super::Severity;

/// A kind of problem. Its name is stable: scripts may rely on it.
macro_rules! codes {
    ($($variant:ident = $name:literal, $severity:ident, $meaning:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $(#[doc = $meaning] $variant,)* }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(crate) const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    Syntax = "syntax", Error, "The text is not TOML 1.1.";
    NotUtf8 = "not-utf8", Error, "The file is not UTF-8 text.";
    UnknownKey = "unknown-key", Error, "A key that the table does not have.";
    MissingKey = "missing-key", Error, "A key that must be there is not.";
    WrongType = "wrong-type", Error, "A value of another type than the key takes.";
    ConflictingKeys = "conflicting-keys", Error, "Keys that exclude each other.";
    MisplacedKey = "misplaced-key", Error, "A key that does nothing next to the others.";
    EmptyList = "empty-list", Error, "A list that must name something names nothing.";
    NoSites = "no-sites", Error, "A file without a site.";
    BadNumber = "bad-number", Error, "A number out of its range.";
    BadDuration = "bad-duration", Error, "Not a duration such as \"30s\".";
    BadSize = "bad-size", Error, "Not a size such as \"10MiB\".";
    BadRate = "bad-rate", Error, "Not a rate such as \"10/s\".";
    BadChoice = "bad-choice", Error, "A word that is none of those to choose from.";
    BadAddress = "bad-address", Error, "Not an address to listen on, or of a DNS server.";
    BadNetwork = "bad-network", Error, "Not a CIDR block, an address or a named list of networks.";
    BadHost = "bad-host", Error, "Not a host, or not a pattern of hosts.";
    UnquotedHost = "unquoted-host", Error, "A host in a table's name without quotes: TOML takes its dots for tables.";
    BadName = "bad-name", Error, "A limit, an upstream or a key with a name that is no plain word.";
    BadPath = "bad-path", Error, "Not a path, or not a pattern of paths.";
    BadSuffix = "bad-suffix", Error, "Not a suffix pattern such as \"*.bak\", or not an ending such as \".js\".";
    BadServer = "bad-server", Error, "Not a server that requests could be passed to.";
    BadUrl = "bad-url", Error, "Not a URL or path to redirect to, or not the URL of an API.";
    BadOrigin = "bad-origin", Error, "Not an origin: a scheme and a host.";
    BadMediaType = "bad-media-type", Error, "Not a media type such as \"text/html\", and not all of one kind.";
    BadMethod = "bad-method", Error, "Not a method, or none that a browser sends.";
    BadStatus = "bad-status", Error, "A status that does not belong there.";
    BadFile = "bad-file", Error, "Not the name of a file or folder.";
    BadHeader = "bad-header", Error, "Not a header name, or not a header value.";
    ForbiddenHeader = "forbidden-header", Error, "A header that belongs to the connection and not to the answer.";
    DuplicateHeader = "duplicate-header", Error, "One header named twice on one level.";
    DuplicateRoute = "duplicate-route", Error, "Two routes of one site with the same path.";
    DuplicateHost = "duplicate-host", Error, "One host claimed twice.";
    DuplicateDefinition = "duplicate-definition", Error, "Something that stands in two files.";
    NestedInclude = "nested-include", Error, "An `include` in a file that is included itself.";
    UnreadableInclude = "unreadable-include", Error, "A file that is included and cannot be read.";
    DuplicateAddress = "duplicate-address", Error, "One address listened on twice.";
    UnknownLimit = "unknown-limit", Error, "A limit that no [limit.NAME] defines.";
    UnknownUpstream = "unknown-upstream", Error, "An upstream that no [upstream.NAME] defines.";
    MixedProtocols = "mixed-protocols", Error, "Servers of one upstream that speak different protocols.";
    RedirectLoop = "redirect-loop", Error, "A redirect that leads back to itself.";
    LiteralSecret = "literal-secret", Error, "A secret that stands in the file itself.";
    BadVariable = "bad-variable", Error, "Not the name of an environment variable.";
    BadContact = "bad-contact", Error, "Not a `mailto:` URL with one address.";
    BadDirectory = "bad-directory", Error, "Not a CA's name, and not the URL of a directory that could be trusted.";
    BadUser = "bad-user", Error, "Not a name that a user can have.";
    BadPasswordHash = "bad-password-hash", Error, "Not a hash of a password by argon2 or bcrypt.";
    BadEvent = "bad-event", Error, "Not an event of a webhook.";
    BadCommand = "bad-command", Error, "Not a program and its arguments.";
    DuplicateEntry = "duplicate-entry", Error, "A list that names the same twice.";
    NoChallenge = "no-challenge", Error, "A host that no CA could be shown to be ours, by the challenges that are left.";
    HostBits = "host-bits", Warning, "A CIDR block with bits set behind its prefix.";
    PublicAdmin = "public-admin", Warning, "The admin listener can be reached from other machines.";
    UnusedLimit = "unused-limit", Warning, "A limit that nothing names.";
    UnusedUpstream = "unused-upstream", Warning, "An upstream that no route names.";
    UnusedAcme = "unused-acme", Warning, "A table `acme` without a site that has its certificates by ACME.";
    NoPublicCa = "no-public-ca", Warning, "A host that no public CA issues certificates for.";
    EmptyInclude = "empty-include", Warning, "An `include` that no file matches.";
    DirectoryPath = "directory-path", Warning, "The URL of a directory that names a server and no directory.";
}

/// Every problem's stable name and meaning, in the order of the reference.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    Code::ALL.iter().map(|code| (code.as_str(), code.meaning()))
}

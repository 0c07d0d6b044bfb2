//! Fields of requests, as HTTP/2 allows them (RFC 9113 sections 8.2 and 8.3). A field is parsed once:
//! what stands in HPACK's tables has been.

use crate::head::Known;

/// Why a request is malformed (RFC 9113 section 8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The name of a field that a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// `:method`
    Method,
    /// `:scheme`
    Scheme,
    /// `:authority`
    Authority,
    /// `:path`
    Path,
    /// A field.
    Field(Known),
}

impl Name {
    /// Parses a name.
    pub(crate) fn parse(name: &[u8]) -> Result<Self, Malformed> {
        match name {
            b":method" => return Ok(Self::Method),
            b":scheme" => return Ok(Self::Scheme),
            b":authority" => return Ok(Self::Authority),
            b":path" => return Ok(Self::Path),
            [b':', ..] => return Err(Malformed("it has a pseudo-field that requests have not")),
            [] => return Err(Malformed("it has a field without a name")),
            _ => {}
        }
        if !name.iter().all(|&octet| CLASSES[usize::from(octet)] & NAME != 0) {
            return Err(Malformed("a field's name is not a token in lower case"));
        }
        match Known::of(name) {
            Known::Connection
            | Known::KeepAlive
            | Known::ProxyConnection
            | Known::TransferEncoding
            | Known::Upgrade => Err(Malformed("it has a field about HTTP/1.1's connection")),
            known => Ok(Self::Field(known)),
        }
    }

    /// Checks a value that stands behind this name.
    pub(crate) fn check(self, value: &[u8]) -> Result<Self, Malformed> {
        match self {
            Self::Method => check_method(value)?,
            Self::Scheme => check_scheme(value)?,
            Self::Authority => check_authority(value)?,
            Self::Path => check_path(value)?,
            Self::Field(known) => check_value(known, value)?,
        }
        Ok(self)
    }
}

/// CONNECT asks for a tunnel (RFC 9113 section 8.5), which this gateway is not.
fn check_method(value: &[u8]) -> Result<(), Malformed> {
    match value {
        b"CONNECT" => Err(Malformed("its method is CONNECT")),
        [] => Err(Malformed("its method is empty")),
        _ if value.iter().all(|&octet| CLASSES[usize::from(octet)] & TOKEN != 0) => Ok(()),
        _ => Err(Malformed("its method is not a token")),
    }
}

/// Other schemes would need another meaning of `:path` (section 8.3.1).
fn check_scheme(value: &[u8]) -> Result<(), Malformed> {
    let http = value.eq_ignore_ascii_case(b"https") || value.eq_ignore_ascii_case(b"http");
    if http { Ok(()) } else { Err(Malformed("its scheme is not that of a web page")) }
}

fn check_authority(value: &[u8]) -> Result<(), Malformed> {
    match value {
        [] => Err(Malformed("its authority is empty")),
        _ if value.iter().all(|&octet| CLASSES[usize::from(octet)] & AUTHORITY != 0) => Ok(()),
        _ => Err(Malformed("its authority is not a host with a port")),
    }
}

/// Whether `*` stands with OPTIONS is known when the head is whole.
fn check_path(value: &[u8]) -> Result<(), Malformed> {
    match value {
        b"*" => Ok(()),
        [b'/', ..] if value.iter().all(|&octet| CLASSES[usize::from(octet)] & TARGET != 0) => {
            if value.is_ascii() || str::from_utf8(value).is_ok() {
                Ok(())
            } else {
                Err(Malformed("its path is not UTF-8"))
            }
        }
        [b'/', ..] => Err(Malformed("its path has characters that no path has")),
        [] => Err(Malformed("its path is empty")),
        _ => Err(Malformed("its path begins without a slash")),
    }
}

fn check_value(known: Known, value: &[u8]) -> Result<(), Malformed> {
    // Section 8.2.1.
    if matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']) {
        return Err(Malformed("a field's value has white space around it"));
    }
    if !value.iter().all(|&octet| CLASSES[usize::from(octet)] & VALUE != 0) {
        return Err(Malformed("a field's value has control characters"));
    }
    // Section 8.2.2.
    if known == Known::Te && !value.eq_ignore_ascii_case(b"trailers") {
        return Err(Malformed("its TE field wants more than trailers"));
    }
    Ok(())
}

/// The number in a Content-Length field (RFC 9110 section 8.6).
pub(crate) fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let no_number = Malformed("its Content-Length is not a number");
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(no_number);
    }
    str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or(no_number)
}

/// A token, whatever its case (RFC 9110 section 5.6.2).
const TOKEN: u8 = 1;
/// A field's name in HTTP/2: a token in lower case.
const NAME: u8 = 2;
/// A field's value.
const VALUE: u8 = 4;
/// Path and query. Beyond RFC 3986 this has what browsers and their servers have got used to.
const TARGET: u8 = 8;
/// A host with a port (RFC 3986 section 3.2), without a user, which section 8.3.1 forbids.
const AUTHORITY: u8 = 16;

/// What each octet may stand in.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        classes[octet] = classes_of(octet as u8);
        octet += 1;
    }
    classes
}

const fn classes_of(octet: u8) -> u8 {
    let lower_or_digit = octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let mark = matches!(
        octet,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
    );
    let mut class = 0;
    if lower_or_digit || mark {
        class |= NAME;
    }
    if lower_or_digit || mark || octet.is_ascii_uppercase() {
        class |= TOKEN;
    }
    if octet == b'\t' || (octet >= b' ' && octet != 0x7f) {
        class |= VALUE;
    }
    if octet > b' ' && octet != 0x7f && octet != b'#' {
        class |= TARGET;
    }
    if octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'[' | b']')
        || matches!(octet, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';')
        || octet == b'='
    {
        class |= AUTHORITY;
    }
    class
}

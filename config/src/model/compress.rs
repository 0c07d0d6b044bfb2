//! Compression of answers (RFC 9110 section 8.4).

use std::fmt;

/// How answers are compressed for clients that take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compress {
    /// The codings that are used, the most wanted first; never empty, each once.
    pub codings: Vec<ContentCoding>,
    /// How hard each of them tries.
    pub levels: CompressLevels,
    /// Shorter answers are not worth it, in bytes. What does not say how long it is, is compressed.
    pub min: u64,
    /// The types that are compressed. `None`: those that shrink.
    pub types: Option<Vec<MediaRange>>,
}

/// What `compress = true` means.
impl Default for Compress {
    fn default() -> Self {
        let levels = CompressLevels { zstd: 3, br: 4, gzip: 6 };
        Self { codings: ContentCoding::ALL.to_vec(), levels, min: 1 << 10, types: None }
    }
}

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// RFC 8878; with a window that RFC 9659 lets every client have.
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl ContentCoding {
    /// Every coding.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

impl fmt::Display for ContentCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How hard each coding tries: 1 is the quickest, 9 gives the smallest answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressLevels {
    /// Of zstd.
    pub zstd: u8,
    /// Of brotli.
    pub br: u8,
    /// Of gzip.
    pub gzip: u8,
}

/// A media type, or all of one kind: `text/html`, `text/*`. In lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRange {
    /// What stands before the slash.
    pub(crate) kind: String,
    /// What stands behind it. `None`: anything.
    pub(crate) subtype: Option<String>,
}

impl MediaRange {
    /// Whether a media type without its parameters is meant.
    #[must_use]
    pub fn matches(&self, media_type: &str) -> bool {
        let Some((kind, subtype)) = media_type.split_once('/') else { return false };
        let is = |own: &String| own.eq_ignore_ascii_case(subtype);
        kind.eq_ignore_ascii_case(&self.kind) && self.subtype.as_ref().is_none_or(is)
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype.as_deref().unwrap_or("*"))
    }
}

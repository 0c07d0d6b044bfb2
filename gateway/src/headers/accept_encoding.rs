//! `Accept-Encoding` (RFC 9110 section 12.5.3): which content codings a client takes, and which it
//! would rather have.

use gateway_config::model::ContentCoding;
use smallvec::SmallVec;

use super::weight::{Weight, weight};
use crate::head::{Fields, Known};

/// What a client says about content codings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AcceptEncoding<'r>(&'r Fields);

impl<'r> AcceptEncoding<'r> {
    pub(crate) fn of(asked: &'r Fields) -> Self {
        Self(asked)
    }

    /// The codings among `offered` that the client takes and does not want less than no coding at
    /// all, the most wanted first; among equals in the order of `offered`. A client that says nothing
    /// would take anything, and gets what every client understands: none.
    pub(crate) fn wanted(self, offered: &[ContentCoding]) -> SmallVec<[ContentCoding; 3]> {
        let least = self.explicit("identity").unwrap_or(0).max(1);
        let weigh = |coding: &ContentCoding| (*coding, self.weight(*coding));
        let mut wanted: SmallVec<[(ContentCoding, Weight); 3]> =
            offered.iter().map(weigh).filter(|(_, weight)| *weight >= least).collect();
        wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        wanted.into_iter().map(|(coding, _)| coding).collect()
    }

    /// Whether an answer without a coding is refused.
    pub(crate) fn refuses_identity(self) -> bool {
        self.explicit("identity").or_else(|| self.explicit("*")) == Some(0)
    }

    fn weight(self, coding: ContentCoding) -> Weight {
        let alias = || (coding == ContentCoding::Gzip).then(|| self.explicit("x-gzip")).flatten();
        let named = self.explicit(coding.as_str()).or_else(alias);
        named.or_else(|| self.explicit("*")).unwrap_or(0)
    }

    /// What the client says about a coding by its name.
    fn explicit(self, name: &str) -> Option<Weight> {
        let members =
            self.0.all(Known::AcceptEncoding).flat_map(|value| value.split(|b| *b == b','));
        let mut weights = members.filter_map(|member| {
            let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let is_named = parts.next()?.eq_ignore_ascii_case(name.as_bytes());
            is_named.then(|| weight(parts))
        });
        weights.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContentCoding::{Brotli, Gzip, Zstd};
    use proptest::prelude::*;

    fn fields(lines: &[&str]) -> Fields {
        let mut fields = Fields::default();
        for line in lines {
            fields.add(b"accept-encoding", line.as_bytes());
        }
        fields
    }

    fn wanted(lines: &[&str]) -> Vec<ContentCoding> {
        AcceptEncoding::of(&fields(lines)).wanted(&ContentCoding::ALL).to_vec()
    }

    #[test]
    fn the_client_s_preference_counts_and_then_the_server_s() {
        for (said, expected) in [
            (&["gzip, deflate, br, zstd"][..], &[Zstd, Brotli, Gzip][..]),
            (&["gzip", "br"], &[Brotli, Gzip]),
            (&["GZip;Q=0.9 , br ; q=0.5"], &[Gzip, Brotli]),
            (&["gzip;q=0.001"], &[Gzip]),
            (&["gzip;q=0, br"], &[Brotli]),
            (&["x-gzip"], &[Gzip]),
            (&["*"], &[Zstd, Brotli, Gzip]),
            (&["*;q=0.5, gzip"], &[Gzip, Zstd, Brotli]),
            (&["br;q=0, *"], &[Zstd, Gzip]),
            (&["*;q=0"], &[]),
            (&["gzip, *;q=0"], &[Gzip]),
            (&["identity"], &[]),
            (&["gzip;q=0.5, identity"], &[]),
            (&["gzip;q=0.5, identity;q=0.5"], &[Gzip]),
            (&["gzip, identity;q=0"], &[Gzip]),
            (&[""], &[]),
            (&[], &[]),
            (&["deflate, compress"], &[]),
            (&["gzip;q=2, br;q=x, zstd;q=0.1234"], &[]),
            (&["gzip;level=9;q=0.3"], &[Gzip]),
        ] {
            assert_eq!(wanted(said), expected, "{said:?}");
        }
    }

    #[test]
    fn no_coding_at_all_may_be_refused() {
        for (said, refused) in [
            (&["identity;q=0"][..], true),
            (&["*;q=0"], true),
            (&["gzip, *;q=0.0"], true),
            (&["*;q=0, identity;q=0.1"], false),
            (&["gzip"], false),
            (&[], false),
        ] {
            assert_eq!(AcceptEncoding::of(&fields(said)).refuses_identity(), refused, "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(said in "[gzip*;q=.0-9, ]{0,40}") {
            let _ = wanted(&[&said]);
        }
    }
}

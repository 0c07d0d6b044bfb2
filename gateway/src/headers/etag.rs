//! `ETag` and the conditions upon it (RFC 9110 sections 8.8.3 and 13.1).

use crate::head::{Fields, Known};

/// What stands before an entity tag that promises no more than the same meaning.
const WEAK: &[u8] = b"W/";

/// Makes an answer's tag a weak one: its bytes are no longer those that the tag was made for.
pub(crate) fn weaken(fields: &mut Fields) {
    let strong = fields.get(Known::Etag).filter(|tag| !tag.starts_with(WEAK));
    if let Some(strong) = strong {
        let weak = [WEAK, strong].concat();
        fields.set(b"etag", &weak);
    }
}

/// Gives a 304 the tag that the client asked with: who has a compressed answer has its tag in the weak
/// form, and would not know which of its answers a strong one is about (RFC 9111 section 4.3.4).
pub(crate) fn as_the_client_knows_it(asked: &Fields, fields: &mut Fields) {
    let Some(tag) = fields.get(Known::Etag).filter(|tag| !tag.starts_with(WEAK)) else { return };
    let weak = [WEAK, tag].concat();
    let knows = |wanted: &[u8]| {
        let mut conditions = asked.named(b"if-none-match");
        conditions.any(|value| tags(value).any(|known| known == wanted))
    };
    if knows(&weak) && !knows(tag) {
        fields.set(b"etag", &weak);
    }
}

/// The tags of a list. A comma may stand within a tag.
pub(crate) fn tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !b" \t,".contains(byte))?;
        rest = &rest[start..];
        let opened = rest.iter().position(|byte| *byte == b'"');
        let closed = opened
            .and_then(|open| Some(open + 1 + rest[open + 1..].iter().position(|b| *b == b'"')?));
        let comma = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
        let end = match (opened, closed) {
            (Some(open), Some(close)) if open < comma => close + 1,
            _ => comma,
        };
        let (tag, after) = rest.split_at(end);
        rest = after;
        Some(tag.trim_ascii())
    })
}

/// Whether two tags are of answers with the same meaning (the weak comparison).
pub(crate) fn same_meaning(one: &[u8], other: &[u8]) -> bool {
    opaque(one) == opaque(other)
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(WEAK).unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(text: &str) -> Vec<String> {
        tags(text.as_bytes()).map(|tag| String::from_utf8_lossy(tag).into_owned()).collect()
    }

    #[test]
    fn tags_are_told_apart() {
        assert_eq!(list("\"a\", W/\"b\" ,\"c,d\""), ["\"a\"", "W/\"b\"", "\"c,d\""]);
        assert_eq!(list("*"), ["*"]);
        assert_eq!(list(" , "), Vec::<String>::new());
        assert_eq!(list("a, \"b"), ["a", "\"b"]);
    }

    #[test]
    fn a_304_has_the_tag_that_was_asked_with() {
        let told = |asked: &str, tag: &str| {
            let (mut request, mut answer) = (Fields::default(), Fields::default());
            request.add(b"if-none-match", asked.as_bytes());
            answer.add(b"etag", tag.as_bytes());
            as_the_client_knows_it(&request, &mut answer);
            String::from_utf8_lossy(answer.get(Known::Etag).unwrap()).into_owned()
        };
        assert_eq!(told("W/\"a\"", "\"a\""), "W/\"a\"");
        assert_eq!(told("\"a\"", "\"a\""), "\"a\"");
        assert_eq!(told("\"a\", W/\"a\"", "\"a\""), "\"a\"");
        assert_eq!(told("W/\"a\"", "W/\"a\""), "W/\"a\"");
        assert_eq!(told("*", "\"a\""), "\"a\"");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_it_ends(text in "[W/\", a]{0,40}") {
            prop_assert!(list(&text).len() <= text.len());
        }
    }
}

//! The cookies of a request (RFC 6265 section 4.2).

use crate::head::{Fields, Known};

/// The values of the cookies of one name, in their order. Quotation marks are a part of a value.
pub(crate) fn values<'r>(fields: &'r Fields, name: &str) -> impl Iterator<Item = &'r [u8]> {
    let pairs = fields.all(Known::Cookie).flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let at = memchr::memchr(b'=', pair)?;
        (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_a_part_of_another() {
        for (lines, expected) in [
            (&["a=1; session=x; b=2"][..], &["x"][..]),
            (&["session=x", "session=y"], &["x", "y"]),
            (&[" session = x ;session=\"y\""], &["x", "\"y\""]),
            (&["session=a=b; session="], &["a=b", ""]),
            (&["mysession=x; session2=y; session; Session=z; =session=w"], &[]),
            (&[], &[]),
        ] {
            let mut fields = Fields::default();
            lines.iter().for_each(|line| fields.add(b"cookie", line.as_bytes()));
            let found: Vec<&[u8]> = values(&fields, "session").collect();
            let expected: Vec<&[u8]> = expected.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}

//! `Vary` (RFC 9110 section 12.5.5).

use crate::head::{Fields, Known};

/// Says that an answer depends on a field of its request, in one line with what is there already.
pub(crate) fn add(fields: &mut Fields, name: &str) {
    if !fields.has(Known::Vary) {
        fields.add_known(Known::Vary, name.as_bytes());
        return;
    }
    let says = |token: &[u8]| token == b"*" || token.eq_ignore_ascii_case(name.as_bytes());
    let mut said = Vec::new();
    for value in fields.all(Known::Vary) {
        if value.split(|byte| *byte == b',').any(|token| says(token.trim_ascii())) {
            return;
        }
        let value = value.trim_ascii();
        if !value.is_empty() {
            said.extend_from_slice(value);
            said.extend_from_slice(b", ");
        }
    }
    said.extend_from_slice(name.as_bytes());
    fields.set(b"vary", &said);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(lines: &[&str], name: &str) -> Vec<String> {
        let mut fields = Fields::default();
        for line in lines {
            fields.add(b"vary", line.as_bytes());
        }
        add(&mut fields, name);
        fields.all(Known::Vary).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn a_name_is_said_once() {
        assert_eq!(added(&[], "Origin"), ["Origin"]);
        assert_eq!(added(&["Accept"], "Origin"), ["Accept, Origin"]);
        assert_eq!(added(&["Accept", "Cookie"], "Origin"), ["Accept, Cookie, Origin"]);
        assert_eq!(added(&["accept , ORIGIN"], "Origin"), ["accept , ORIGIN"]);
        assert_eq!(added(&["*"], "Origin"), ["*"]);
        assert_eq!(added(&[""], "Origin"), ["Origin"]);
    }
}

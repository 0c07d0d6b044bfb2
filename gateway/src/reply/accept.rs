//! Which form of an error a client wants, by its `Accept` (RFC 9110 section 12.5.1).

use crate::head::RequestHead;
use crate::headers::weight::{Weight, weight};

/// A form that an error can be told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Json,
    Text,
}

/// The form that a client names and likes best; of two that it likes equally, the one that it names
/// first. `None` where it names none of them: whoever takes anything is no browser.
pub(super) fn preferred(asked: &RequestHead) -> Option<Form> {
    let named = asked.fields.named(b"accept").flat_map(|value| value.split(|byte| *byte == b','));
    let mut best: Option<(Form, Weight)> = None;
    for (form, weight) in named.filter_map(range) {
        if weight > best.map_or(0, |(_, known)| known) {
            best = Some((form, weight));
        }
    }
    best.map(|(form, _)| form)
}

/// The form that a media range names, and how much it is wanted.
fn range(text: &[u8]) -> Option<(Form, Weight)> {
    let mut parts = text.split(|byte| *byte == b';');
    let named = parts.next()?.trim_ascii();
    let is = |kind: &str| named.eq_ignore_ascii_case(kind.as_bytes());
    let form = if is("text/html") || is("application/xhtml+xml") {
        Form::Html
    } else if is("application/json") || is("application/problem+json") {
        Form::Json
    } else if is("text/plain") {
        Form::Text
    } else {
        return None;
    };
    Some((form, weight(parts.map(<[u8]>::trim_ascii))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Option<Form> {
        let mut asked = RequestHead::default();
        lines.iter().for_each(|line| asked.fields.add(b"accept", line.as_bytes()));
        preferred(&asked)
    }

    #[test]
    fn the_form_that_is_liked_best() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, expected) in [
            (browser, Some(Form::Html)),
            ("*/*", None),
            ("", None),
            ("image/avif,image/webp,*/*;q=0.8", None),
            ("application/json, text/plain, */*", Some(Form::Json)),
            ("Application/Problem+JSON", Some(Form::Json)),
            ("text/html;q=0.5, application/json;q=0.9", Some(Form::Json)),
            ("text/html;level=1;q=0.9, application/json; q=0.875", Some(Form::Html)),
            ("text/plain, text/html", Some(Form::Text)),
            ("text/html;q=0", None),
            ("text/html;q=0, application/json;q=0.001", Some(Form::Json)),
            ("text/html;q=rubbish", None),
            ("text/html;;;q", Some(Form::Html)),
            ("text/*", None),
            (",,;,=", None),
        ] {
            assert_eq!(of(&[accept]), expected, "{accept}");
        }
        assert_eq!(of(&["text/html;q=0.1", "application/json;q=0.2"]), Some(Form::Json));
        assert_eq!(of(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn anything_may_be_sent(text in "[ -~]{0,80}") {
            of(&[&text]);
        }

        #[test]
        fn of_two_the_one_that_is_liked_better(html in 0_u16..=999, json in 0_u16..=999) {
            let accept = format!("text/html;q=0.{html:03}, application/json;q=0.{json:03}");
            let expected = match (html, json) {
                (0, 0) => None,
                _ if json > html => Some(Form::Json),
                _ => Some(Form::Html),
            };
            proptest::prop_assert_eq!(of(&[&accept]), expected);
        }
    }
}

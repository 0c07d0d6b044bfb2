//! Whom a CA may write to.

use crate::complaint::{Complaint, quoted};
use crate::model::Host;
use crate::problem::Code;

const EXAMPLE: &str = "mailto:ops@example.com";

/// A `mailto:` URL with one address and nothing else (RFC 8555, section 7.3).
pub(crate) fn parse_contact(text: &str) -> Result<String, Complaint> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(if is_address(text) {
            complaint(format!("{} is an address and not a URL", quoted(text)))
                .help(format!("write \"mailto:{text}\""))
        } else {
            not_a_contact(text)
        });
    };
    if !scheme.eq_ignore_ascii_case("mailto") {
        return Err(complaint(format!("{} is not a `mailto:` URL", quoted(text)))
            .help(format!("CAs write e-mail: write an address such as \"{EXAMPLE}\"")));
    }
    if rest.contains([',', ';']) {
        return Err(complaint(format!("{} names more than one address", quoted(text)))
            .help("write a URL for each: [\"mailto:a@example.com\", \"mailto:b@example.com\"]"));
    }
    if let Some((address, _)) = rest.split_once('?') {
        return Err(complaint(format!("{} holds more than an address", quoted(text)))
            .help(format!("write \"mailto:{address}\"; CAs refuse headers there")));
    }
    if is_address(rest) { Ok(format!("mailto:{rest}")) } else { Err(not_a_contact(text)) }
}

/// One address, as far as that can be said without asking the mail server.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| c.is_ascii_graphic() && !"@,;:?<>\"\\()[]".contains(c);
    !local.is_empty() && local.chars().all(plain) && Host::parse(domain).is_ok()
}

fn not_a_contact(text: &str) -> Complaint {
    complaint(format!("{} holds no e-mail address", quoted(text)))
        .help(format!("write an address such as \"{EXAMPLE}\""))
}

fn complaint(message: String) -> Complaint {
    Complaint::new(Code::BadContact, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_nothing_else() {
        for text in ["mailto:ops@example.com", "mailto:a.b+c@x", "MailTo:ops@bücher.example"] {
            assert!(parse_contact(text).is_ok(), "{text}");
        }
        assert_eq!(parse_contact("MAILTO:a@b").ok().as_deref(), Some("mailto:a@b"));
        for text in [
            "",
            "ops",
            "ops@example.com",
            "tel:+420123456789",
            "mailto:",
            "mailto:ops",
            "mailto:@example.com",
            "mailto:a@b,c@d",
            "mailto:a@b?subject=x",
            "mailto:a b@c",
            "mailto:a@b@c",
            "https://example.com",
        ] {
            assert!(parse_contact(text).is_err(), "{text}");
        }
    }
}

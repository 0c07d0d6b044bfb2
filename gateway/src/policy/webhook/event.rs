//! Which event a delivery tells of.

use std::borrow::Cow;

use gateway_config::model::WebhookEvent;
use serde::Deserialize;

use crate::head::{Fields, Known};

/// Where GitHub names the event.
const EVENT: &[u8] = b"x-github-event";

/// A hook can be set up to send its JSON as the field of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";
const FORM_FIELD: &[u8] = b"payload";

/// All that is asked about a payload.
#[derive(Deserialize)]
struct Payload<'p> {
    #[serde(borrow)]
    action: Option<Cow<'p, str>>,
}

/// Whether a delivery's event, or its action, is on the list. The body is looked into only where the
/// list asks for an action of this event.
pub(super) fn is_one_of(events: &[WebhookEvent], fields: &Fields, body: &[u8]) -> bool {
    let Some(name) = fields.named(EVENT).next() else { return false };
    let named = || events.iter().filter(|event| event.name.as_bytes() == name);
    if named().any(|event| event.action.is_none()) {
        return true;
    }
    let mut actions = named().filter_map(|event| event.action.as_deref()).peekable();
    if actions.peek().is_none() {
        return false;
    }
    let json = json(fields, body);
    let payload = serde_json::from_slice::<Payload<'_>>(&json).ok();
    let action = payload.and_then(|payload| payload.action);
    action.is_some_and(|action| actions.any(|wanted| wanted == action))
}

fn json<'b>(fields: &Fields, body: &'b [u8]) -> Cow<'b, [u8]> {
    let kind = fields.get(Known::ContentType).unwrap_or_default();
    if !kind.get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM)) {
        return body.into();
    }
    let mut pairs = body.split(|byte| *byte == b'&').filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..at], &pair[at + 1..]))
    });
    let value = pairs.find(|(name, _)| *name == FORM_FIELD).map_or(&[][..], |(_, value)| value);
    let spaced: Vec<u8> =
        value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(list: &[&str]) -> Vec<WebhookEvent> {
        let read = |text: &&str| match text.split_once('.') {
            Some((name, action)) => {
                WebhookEvent { name: name.to_owned(), action: Some(action.to_owned()) }
            }
            None => WebhookEvent { name: (*text).to_owned(), action: None },
        };
        list.iter().map(read).collect()
    }

    fn is_wanted(list: &[&str], event: &[u8], kind: &[u8], body: &[u8]) -> bool {
        let mut fields = Fields::default();
        fields.add(EVENT, event);
        fields.add(b"content-type", kind);
        is_one_of(&events(list), &fields, body)
    }

    #[test]
    fn an_event_by_its_name_and_an_action_by_the_payload() {
        let list = ["workflow_job.queued", "ping", "push", "push.never"];
        let wanted = |event: &[u8], body: &[u8]| is_wanted(&list, event, b"application/json", body);
        assert!(wanted(b"ping", b""));
        assert!(wanted(b"push", b"{}"));
        assert!(wanted(b"workflow_job", br#"{"a":{"action":"x"},"action":"queued","n":[1]}"#));
        assert!(wanted(b"workflow_job", br#"{"action":"que\u0075ed"}"#));
        for body in [
            &br#"{"action":"completed"}"#[..],
            br#"{"a":{"action":"queued"}}"#,
            br#"{"action":null}"#,
            br#"{"action":["queued"]}"#,
            br#"{"action":"queued""#,
            b"",
            b"\xff",
        ] {
            assert!(!wanted(b"workflow_job", body), "{}", String::from_utf8_lossy(body));
        }
        assert!(!wanted(b"Ping", b""));
        assert!(!is_one_of(&events(&list), &Fields::default(), b"{}"));
    }

    #[test]
    fn a_form_is_opened() {
        let wanted = |body: &[u8]| {
            let kind = b"Application/X-WWW-Form-Urlencoded; charset=utf-8";
            is_wanted(&["workflow_job.queued"], b"workflow_job", kind, body)
        };
        assert!(wanted(b"payload=%7B%22action%22%3A+%22queued%22%7D"));
        assert!(wanted(b"a=b&payload=%7B%22action%22%3A%22queued%22%7D&c"));
        assert!(!wanted(b"other=%7B%22action%22%3A%22queued%22%7D"));
        assert!(!wanted(br#"{"action":"queued"}"#));
    }
}

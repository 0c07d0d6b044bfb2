//! Events of webhooks: `ping`, `workflow_job.queued`.

use crate::complaint::{Complaint, quoted};
use crate::model::WebhookEvent;
use crate::problem::Code;

/// An event, with its action where one is named.
pub(crate) fn parse_event(text: &str) -> Result<WebhookEvent, Complaint> {
    let (name, action) = match text.split_once('.') {
        Some((name, action)) => (name, Some(action)),
        None => (text, None),
    };
    let is_word = |word: &str| {
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        !word.is_empty() && word.chars().all(plain)
    };
    if !is_word(name) || !action.is_none_or(is_word) {
        let complaint = Complaint::new(Code::BadEvent, format!("{} is not an event", quoted(text)));
        return Err(complaint.help(meant(text)));
    }
    Ok(WebhookEvent { name: name.to_owned(), action: action.map(str::to_owned) })
}

fn meant(text: &str) -> String {
    let better = text.trim().to_ascii_lowercase().replace([' ', '/', ':'], ".");
    if better != text && parse_event(&better).is_ok() {
        return format!("write \"{better}\"");
    }
    "write an event as its provider calls it, with an action or without: \"push\", \"workflow_job.queued\"; for every event, remove `events`".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_with_and_without_an_action() {
        for text in ["ping", "workflow_job.queued", "pull_request.review_requested"] {
            assert_eq!(
                parse_event(text).ok().map(|event| event.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in ["", ".", "push.", ".queued", "a.b.c", "Push", "workflow job", "*", "push\n"] {
            assert!(parse_event(text).is_err(), "{text}");
        }
    }
}

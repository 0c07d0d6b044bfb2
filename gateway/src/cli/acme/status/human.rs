//! The status for people.

use std::fmt::Write as _;

use gateway_acme::{DirectoryFacts, ca_name};

use super::super::super::at::At;
use super::super::super::style::{Style, alarm, detail};
use super::{Ca, Certificate, Status};

pub(super) fn render(status: &Status, now: At, colour: bool) -> String {
    let style = Style::new(colour);
    let mut text = String::new();
    if status.certificates.is_empty() {
        return "No site has its certificates by ACME: none says tls = \"acme\".\n".into();
    }
    for authority in &status.authorities {
        self::authority(&mut text, style, authority, now);
    }
    for certificate in &status.certificates {
        self::certificate(&mut text, style, certificate, now);
    }
    text
}

fn heading(text: &mut String, style: Style, title: &str, remark: &str) {
    let Style { strong, off, .. } = style;
    let between = if text.is_empty() { "" } else { "\n" };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{between}{strong}{title}{off}{}", style.aside(remark));
}

fn authority(text: &mut String, style: Style, ca: &Ca, now: At) {
    let remark = match (&ca.rehearses, ca.staging) {
        (Some(real), _) => format!("asked where a name has failed, before {}", ca_name(real)),
        (None, true) => "a staging environment: nobody trusts what it issues".into(),
        (None, false) => String::new(),
    };
    heading(text, style, &ca.name, &remark);
    let mut say = |name, value: &str| detail(text, style, name, value);
    if ca.name != ca.directory {
        say("directory", &ca.directory);
    }
    say("account", &account(ca));
    let tell_orders = if ca.held_until.is_some() { alarm } else { detail };
    tell_orders(text, style, "orders", &orders(ca, now));
    let mut say = |name, value: &str| detail(text, style, name, value);
    let says = ca.live.as_ref().map_or(ca.renewal_info, |live| live.renewal_info);
    say(
        "renewals",
        match (says, ca.live.is_some()) {
            (true, _) => "the CA suggests when (RFC 9773)",
            (false, true) => "the CA does not suggest when",
            (false, false) => "the CA has not been heard to suggest when",
        },
    );
    if let Some(live) = &ca.live {
        profiles(&mut say, live);
    }
    if let Some(failure) = &ca.live_failure {
        say("asked", &failure.to_string());
    }
    for problem in &ca.problems {
        alarm(text, style, "problem", problem);
    }
}

fn account(ca: &Ca) -> String {
    let Some(account) = &ca.account else {
        return "none yet; one is made with the first order".into();
    };
    if account.contact.is_empty() {
        return format!("{}, without a contact", account.url);
    }
    format!("{}, contact {}", account.url, account.contact.join(", "))
}

fn orders(ca: &Ca, now: At) -> String {
    if let Some(until) = ca.held_until {
        let failures = match ca.failures {
            1 => "1 failure".into(),
            count => format!("{count} failures"),
        };
        return format!("none until {}, after {failures} of the CA's", until.both(now));
    }
    match (ca.orders_left, ca.orders_limit) {
        (Some(left), Some((count, seconds))) => format!(
            "{left} possible now; the CA's limit is {count} in {} hours, a tenth of which is left alone",
            seconds / 3600
        ),
        _ => "possible now; no limit is known".into(),
    }
}

fn profiles(say: &mut impl FnMut(&'static str, &str), live: &DirectoryFacts) {
    if live.profiles.is_empty() {
        say("profiles", "none");
    }
    for (index, (name, description)) in live.profiles.iter().enumerate() {
        say(if index == 0 { "profiles" } else { "" }, &format!("{name}: {description}"));
    }
    if live.external_account_required {
        say("binding", "the CA takes an account only with `eab`");
    }
}

fn certificate(text: &mut String, style: Style, certificate: &Certificate, now: At) {
    let Certificate { site, names, key, not_after, attempts, problems } = certificate;
    heading(text, style, site, &format!("certificate, {key}"));
    if names.len() > 1 || names.first() != Some(site) {
        detail(text, style, "names", &names.join(", "));
    }
    let expires = not_after.map_or("none yet".into(), |at| at.both(now));
    detail(text, style, "expires", &expires);
    for problem in problems {
        alarm(text, style, "problem", problem);
    }
    attempts.tell(text, style, now);
    attempts.tell_waits(text, style, now);
}

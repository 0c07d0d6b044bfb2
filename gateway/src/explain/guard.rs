//! What is asked of a request by `auth` and `webhook`, as far as its head tells.

use gateway_config::format_duration;
use gateway_config::model::{
    Auth, BasicAuth, ForwardAuth, JwtAuth, KeySource, OnError, Policy, Webhook,
};
use serde::Serialize;

use crate::head::Fields;
use crate::policy::Refused;
use crate::policy::auth::basic;
use crate::policy::auth::jwt::Jwt;
use crate::policy::webhook::{Rejected, claimed};

/// `auth` of a route.
#[derive(Debug, Serialize)]
pub(crate) struct AuthFacts {
    /// `basic`, `forward` or `jwt`.
    pub(crate) kind: &'static str,
    /// What is asked, and whom.
    pub(crate) asks: String,
}

/// `webhook` of a route.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookFacts {
    pub(crate) provider: &'static str,
    /// Where the secrets are.
    pub(crate) secrets: Vec<String>,
    /// The events that go on; all of them where there are none.
    pub(crate) events: Vec<String>,
    /// For how long a delivery is known again and refused.
    pub(crate) remember: Option<String>,
}

/// What a request without a body and without passwords being compared would be refused for.
pub(super) fn check(policy: &Policy, fields: &Fields) -> Result<(), Refused> {
    match policy.auth.as_deref() {
        Some(Auth::Basic(auth)) => {
            basic::credentials(fields, &basic::challenge(&auth.realm)).map_err(Refused::Auth)?;
        }
        Some(Auth::Jwt(auth)) => {
            Jwt::new(auth).token(fields).map_err(Refused::Auth)?;
        }
        Some(Auth::Forward(_)) | None => {}
    }
    match policy.webhook.is_some() && claimed(fields).is_none() {
        true => Err(Refused::Webhook(Rejected::Unsigned)),
        false => Ok(()),
    }
}

impl AuthFacts {
    pub(super) fn of(auth: &Auth) -> Self {
        match auth {
            Auth::Basic(basic) => Self { kind: "basic", asks: of_basic(basic) },
            Auth::Forward(forward) => Self { kind: "forward", asks: of_forward(forward) },
            Auth::Jwt(jwt) => Self { kind: "jwt", asks: of_jwt(jwt) },
        }
    }
}

fn of_basic(BasicAuth { users, file, .. }: &BasicAuth) -> String {
    let named = users.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let listed = file.as_ref().map(|file| format!("the users of {}", file.display()));
    let all: Vec<_> = Some(named).filter(|it| !it.is_empty()).into_iter().chain(listed).collect();
    format!("the password of {}", all.join(" and "))
}

fn of_forward(forward: &ForwardAuth) -> String {
    let ForwardAuth { upstream, path, timeout, on_error, .. } = forward;
    let (name, timeout) = (&upstream.name, format_duration(*timeout));
    format!("the upstream `{name}` for {path}, within {timeout}; in trouble {}", then(*on_error))
}

fn of_jwt(jwt: &JwtAuth) -> String {
    let keys = match &jwt.keys {
        KeySource::File(path) => path.display().to_string(),
        KeySource::Url { upstream, path, .. } => format!("{}{path}", upstream.name),
    };
    let audience = match jwt.audience.as_slice() {
        [] => "anybody".to_owned(),
        some => some.join(" or "),
    };
    let JwtAuth { issuer, algorithms, on_error, .. } = jwt;
    let names: Vec<&str> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let (algorithms, then) = (names.join(", "), then(*on_error));
    format!(
        "a token of {issuer} for {audience}, by {algorithms} with the keys of {keys}; without keys {then}"
    )
}

fn then(on_error: OnError) -> &'static str {
    match on_error {
        OnError::Deny => "nobody comes in",
        OnError::Allow => "everybody comes in",
    }
}

impl WebhookFacts {
    pub(super) fn of(webhook: &Webhook) -> Self {
        Self {
            provider: "github",
            secrets: webhook.secrets.iter().map(ToString::to_string).collect(),
            events: webhook.events.iter().map(ToString::to_string).collect(),
            remember: webhook.remember.map(format_duration),
        }
    }
}

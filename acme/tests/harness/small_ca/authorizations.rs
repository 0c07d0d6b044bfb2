//! Authorizations and their challenges (RFC 8555, section 7.5).

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Answer, Problem};
use super::jws;
use super::orders::LIFE;
use super::renewal::rfc3339;
use super::server::Signed;
use super::state::{Authorization, Challenge, Identifier, Status};
use super::trouble::Trouble;
use super::validation;

impl Shared {
    /// The number of an authorization for this, new or reused.
    pub(super) fn authorize(&self, account: usize, identifier: &Identifier) -> usize {
        let expires = self.now() + LIFE;
        let reuses = self.settings.lock().unwrap().reuses_authorizations;
        let (identifier, is_wildcard) = bare(identifier);
        let mut state = self.state.lock().unwrap();
        let same = |it: &Authorization| {
            (it.account, &it.identifier, it.is_wildcard, it.status)
                == (account, &identifier, is_wildcard, Status::Valid)
        };
        if let Some(number) = state.authorizations.iter().position(same).filter(|_| reuses) {
            return number;
        }
        let kinds: &[&'static str] = match (&identifier, is_wildcard) {
            (_, true) => &["dns-01"],
            (Identifier::Ip(_), _) => &["http-01", "tls-alpn-01"],
            (Identifier::Dns(_), _) => &["http-01", "dns-01", "tls-alpn-01"],
        };
        let challenges = kinds.iter().map(|kind| Challenge {
            kind,
            token: jws::random::<32>(),
            status: Status::Pending,
            error: None,
        });
        let challenges = challenges.collect();
        let status = Status::Pending;
        state.authorizations.push(Authorization {
            account,
            identifier,
            is_wildcard,
            status,
            expires,
            challenges,
        });
        state.authorizations.len() - 1
    }

    pub(super) fn authorization(&self, request: &Signed) -> Result<Answer, Problem> {
        let number = self.own_authorization(request, &request.rest)?;
        if request.payload["status"] == "deactivated" {
            self.state.lock().unwrap().authorizations[number].status = Status::Deactivated;
        }
        let after = self.settings.lock().unwrap().poll_retry_after;
        let state = self.state.lock().unwrap();
        let authorization = &state.authorizations[number];
        let challenges = authorization.challenges.iter();
        let mut body = json!({
            "status": authorization.status.name(),
            "identifier": authorization.identifier.to_json(),
            "expires": rfc3339(authorization.expires),
            "challenges": challenges.map(|it| self.show(number, it)).collect::<Vec<_>>(),
        });
        if authorization.is_wildcard {
            body["wildcard"] = true.into();
        }
        let is_waiting = authorization.status == Status::Pending;
        Ok(Answer::json(200, &body).with_retry_after(after.filter(|_| is_waiting)))
    }

    /// `{}` starts the validation, which goes on beside; an empty payload only looks.
    pub(super) fn challenge(self: &Arc<Self>, request: &Signed) -> Result<Answer, Problem> {
        let (authorization, kind) = request.rest.split_once('/').ok_or_else(Problem::not_found)?;
        let number = self.own_authorization(request, authorization)?;
        let mut state = self.state.lock().unwrap();
        let authorization = &mut state.authorizations[number];
        let is_pending = authorization.status == Status::Pending;
        let place = authorization.challenges.iter().position(|it| it.kind == kind);
        let place = place.ok_or_else(Problem::not_found)?;
        let challenge = &mut authorization.challenges[place];
        if !request.payload.is_null() && is_pending && challenge.status == Status::Pending {
            challenge.status = Status::Processing;
            let shared = Arc::clone(self);
            let authorization = request.key.authorization(&challenge.token);
            let failure = match &request.trouble {
                Some(Trouble::Invalid(problem)) => Some(problem.clone()),
                _ => None,
            };
            tokio::spawn(validation::run(shared, number, place, authorization, failure));
        }
        let body = self.show(number, &authorization.challenges[place]);
        let up = self.url(&format!("/authorization/{number}"));
        let up = format!("<{up}>;rel=\"up\"");
        Ok(Answer::json(200, &body).with_header(hyper::header::LINK, up))
    }

    fn show(&self, authorization: usize, challenge: &Challenge) -> Value {
        let mut body = json!({
            "type": challenge.kind,
            "url": self.url(&format!("/challenge/{authorization}/{}", challenge.kind)),
            "token": challenge.token,
            "status": challenge.status.name(),
        });
        if let Some(problem) = &challenge.error {
            body["error"] = problem.document().clone();
        }
        body
    }

    fn own_authorization(&self, request: &Signed, number: &str) -> Result<usize, Problem> {
        let account = request.account()?;
        let number: usize = number.parse().map_err(|_| Problem::not_found())?;
        let state = self.state.lock().unwrap();
        let authorization = state.authorizations.get(number).ok_or_else(Problem::not_found)?;
        let is_own = authorization.account == account;
        is_own
            .then_some(number)
            .ok_or_else(|| Problem::unauthorized("this is another's authorization"))
    }
}

/// An identifier without the asterisk, and whether there was one.
fn bare(identifier: &Identifier) -> (Identifier, bool) {
    match identifier {
        Identifier::Dns(name) => match name.strip_prefix("*.") {
            Some(rest) => (Identifier::Dns(rest.to_owned()), true),
            None => (identifier.clone(), false),
        },
        Identifier::Ip(_) => (identifier.clone(), false),
    }
}

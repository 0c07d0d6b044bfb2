//! `auth = { jwt }`: a signed token (RFC 7519), brought as RFC 6750 says or in a cookie.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway_config::model::{JwsAlgorithm, JwtAuth, OnError};
use http::HeaderName;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::key_set::{Key, KeySet};
use super::{Challenge, Denied, reserve};
use crate::head::{Fields, Known};
use crate::headers::cookies;

/// Longer tokens are nobody's, in bytes.
const LONGEST: usize = 16 * 1024;

/// Keys that are tried for a token that does not name its own.
const TRIED: usize = 8;

/// One route's `jwt`.
pub(crate) struct Jwt {
    issuer: String,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    cookie: Option<String>,
    claims: BTreeMap<String, String>,
    copy_claims: Vec<(HeaderName, String)>,
    leeway: Duration,
    pub(crate) on_error: OnError,
    nobody: Challenge,
    wrong: Challenge,
    forbidden: Challenge,
}

/// What a token says about its bearer.
pub(crate) type Claims = Map<String, Value>;

/// A token that could be one, with its header.
pub(crate) struct Token<'r> {
    text: &'r str,
    header: Header,
}

/// What became of a token.
pub(crate) enum Verdict {
    /// It is good.
    Good(Claims),
    /// None of these keys has signed it; newer ones may have.
    UnknownKey,
}

impl Jwt {
    pub(crate) fn new(jwt: &JwtAuth) -> Self {
        Self {
            issuer: jwt.issuer.clone(),
            audience: jwt.audience.clone(),
            // The configuration lets no other names pass.
            algorithms: jwt.algorithms.iter().map(|name| algorithm(*name)).collect(),
            cookie: jwt.cookie.clone(),
            claims: jwt.claims.clone(),
            copy_claims: jwt.copy_claims.clone(),
            leeway: jwt.leeway,
            on_error: jwt.on_error,
            nobody: "Bearer".into(),
            wrong: "Bearer error=\"invalid_token\"".into(),
            forbidden: "Bearer error=\"insufficient_scope\"".into(),
        }
    }

    /// The token that a request brings.
    ///
    /// # Errors
    /// [`Denied::Nobody`] without one, [`Denied::Wrong`] for what no key could make good.
    pub(crate) fn token<'r>(&self, fields: &'r Fields) -> Result<Token<'r>, Denied> {
        let text = self.brought(fields)?;
        let text = text.filter(|text| text.len() <= LONGEST);
        let text = text.ok_or_else(|| self.wrong("it is no token"))?;
        let header = decode_header(text).map_err(|_| self.wrong("it is no token"))?;
        if !self.algorithms.contains(&header.alg) {
            return Err(self.wrong("its signature is of a kind that is not taken"));
        }
        // RFC 7515 section 4.1.11: what must be understood and is not.
        if header.crit.is_some() {
            return Err(self.wrong("it asks for what is not known"));
        }
        Ok(Token { text, header })
    }

    /// `None`: what is there cannot be a token.
    fn brought<'r>(&self, fields: &'r Fields) -> Result<Option<&'r str>, Denied> {
        let nobody = || Denied::Nobody(self.nobody.clone());
        let mut values = fields.all(Known::Authorization);
        let value = match (values.next(), values.next()) {
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Ok(None),
            (None, _) => {
                let wanted = self.cookie.as_ref().ok_or_else(nobody)?;
                return cookies::values(fields, wanted)
                    .next()
                    .map(|value| str::from_utf8(value).ok())
                    .ok_or_else(nobody);
            }
        };
        let split = value.split_at_checked(b"bearer ".len());
        let bearer = split.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        Ok(bearer.and_then(|(_, token)| str::from_utf8(token.trim_ascii()).ok()))
    }

    /// Holds a token against an issuer's keys.
    ///
    /// # Errors
    /// [`Denied::Wrong`], and [`Denied::Forbidden`] where a claim is missing.
    pub(crate) fn verify(&self, token: &Token<'_>, keys: &KeySet) -> Result<Verdict, Denied> {
        let Header { kid, alg, .. } = &token.header;
        let validation = self.validation(*alg);
        for Key { decoding, .. } in keys.candidates(kid.as_deref(), *alg).take(TRIED) {
            match decode::<Claims>(token.text, decoding, &validation) {
                Ok(good) => {
                    self.check_claims(&good.claims)?;
                    return Ok(Verdict::Good(good.claims));
                }
                Err(error) => match why(error.kind()) {
                    None => {}
                    Some(why) => return Err(self.wrong(why)),
                },
            }
        }
        Ok(Verdict::UnknownKey)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        if self.audience.is_empty() {
            validation.validate_aud = false;
            validation.set_required_spec_claims(&["exp", "iss"]);
        } else {
            validation.set_audience(&self.audience);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        }
        validation
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), Denied> {
        let holds = |(name, wanted): (&String, &String)| match claims.get(name) {
            Some(Value::String(text)) if name == "scope" => {
                text.split(' ').any(|one| one == wanted)
            }
            Some(Value::Array(list)) => list.iter().any(|one| one.as_str() == Some(wanted)),
            Some(value) => plain(value).is_some_and(|text| text == *wanted),
            None => false,
        };
        if self.claims.iter().all(holds) {
            return Ok(());
        }
        Err(Denied::Forbidden("a claim is missing, or says something else", self.forbidden.clone()))
    }

    /// Drops what only a token may say.
    pub(crate) fn reserve(&self, fields: &mut Fields) {
        self.copy_claims.iter().for_each(|(name, _)| reserve(name, fields));
    }

    /// Takes over from a token what the request is to take along.
    pub(crate) fn copy(&self, claims: &Claims, added: &mut Fields) {
        for (name, claim) in &self.copy_claims {
            let text = claims.get(claim).and_then(joined);
            // A claim is free text; a field is one line of it.
            let value = text.and_then(|text| http::HeaderValue::from_bytes(text.as_bytes()).ok());
            if let Some(value) = value {
                added.add(name.as_str().as_bytes(), value.as_bytes());
            }
        }
    }

    pub(crate) fn wrong(&self, why: &'static str) -> Denied {
        Denied::Wrong(why, self.wrong.clone())
    }
}

/// Why a token is refused; `None` where another key may have signed it.
fn why(error: &ErrorKind) -> Option<&'static str> {
    Some(match error {
        ErrorKind::InvalidSignature
        | ErrorKind::InvalidKeyFormat
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidEddsaKey
        | ErrorKind::InvalidRsaKey(_) => return None,
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "it is another issuer's",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks `exp`, `iss` or `aud`",
        _ => "it is no token",
    })
}

fn algorithm(name: JwsAlgorithm) -> Algorithm {
    match name {
        JwsAlgorithm::Rs256 => Algorithm::RS256,
        JwsAlgorithm::Rs384 => Algorithm::RS384,
        JwsAlgorithm::Rs512 => Algorithm::RS512,
        JwsAlgorithm::Ps256 => Algorithm::PS256,
        JwsAlgorithm::Ps384 => Algorithm::PS384,
        JwsAlgorithm::Ps512 => Algorithm::PS512,
        JwsAlgorithm::Es256 => Algorithm::ES256,
        JwsAlgorithm::Es384 => Algorithm::ES384,
        JwsAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn joined(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => Some(list.iter().filter_map(plain).collect::<Vec<_>>().join(",")),
        value => plain(value),
    }
}

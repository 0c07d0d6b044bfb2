//! Running `auth`: passwords are compared elsewhere, services are asked, keys are fetched.

use std::sync::Arc;

use bytes::Bytes;
use gateway_config::model::OnError;

use super::issuer::Issuer;
use super::subrequest::Subrequest;
use super::{Asking, Guarding, Pass};
use crate::fault::Fault;
use crate::policy::Refused;
use crate::policy::auth::Denied;
use crate::policy::auth::basic::Basic;
use crate::policy::auth::forward::{Forward, Word, cookies};
use crate::policy::auth::jwt::{Jwt, Verdict};
use crate::policy::auth::reserve;
use crate::reply::Answer;
use crate::upstream::Upstream;

/// One route's `auth`.
pub(crate) enum Auth {
    Basic(Basic),
    Forward { policy: Forward, upstream: Arc<Upstream> },
    Jwt { policy: Jwt, issuer: Issuer },
}

impl Auth {
    /// Asks whether the client may come in. An answer: it gets this instead.
    ///
    /// # Errors
    /// [`Refused::Auth`].
    pub(crate) async fn check(
        &self,
        shared: &Guarding,
        asking: &Asking<'_>,
        pass: &mut Pass,
    ) -> Result<Option<Answer>, Fault> {
        let outcome = match self {
            Self::Basic(policy) => password(policy, shared, pass).await.map(|()| None),
            Self::Forward { policy, upstream } => forward(policy, upstream, asking, pass).await,
            Self::Jwt { policy, issuer } => {
                token(policy, issuer, asking, pass).await.map(|()| None)
            }
        };
        outcome.map_err(|denied| Refused::Auth(denied).into())
    }
}

async fn password(policy: &Basic, shared: &Guarding, pass: &mut Pass) -> Result<(), Denied> {
    let said = policy.credentials(&pass.head.fields)?;
    let is_good = match policy.hash_of(&said.user) {
        Some(hash) => shared.passwords.is_good(said.password, hash).await?,
        None => {
            shared.passwords.pretend(said.password, policy.decoy()).await?;
            false
        }
    };
    if !is_good {
        return Err(policy.wrong("there is no such user, or the password is another"));
    }
    // The password was for the gateway.
    pass.head.fields.remove(b"authorization");
    if let Some(name) = &policy.user_header {
        reserve(name, &mut pass.head.fields);
        // A name has no control characters; beyond ASCII it goes on as UTF-8.
        pass.added.add(name.as_str().as_bytes(), said.user.as_bytes());
    }
    Ok(())
}

async fn forward(
    policy: &Forward,
    upstream: &Upstream,
    asking: &Asking<'_>,
    pass: &mut Pass,
) -> Result<Option<Answer>, Denied> {
    let (head, added) = policy.question(&pass.head);
    let subrequest = Subrequest {
        worker: &asking.connection.worker,
        upstream,
        head: &head,
        added: &added,
        client: asking.client,
        peer: &asking.connection.peer_text,
        authority: asking.authority,
        trace: asking.trace,
        target: &policy.path,
        limit: policy.timeout,
    };
    policy.reserve(&mut pass.head.fields);
    let trouble = match subrequest.ask().await {
        Ok(said) => match Forward::word(&said.head) {
            Word::Enter => {
                policy.copy(&said.head, &mut pass.added);
                pass.cookies = cookies(&said.head);
                return Ok(None);
            }
            Word::Answer => {
                return Ok(Some(Answer::passed_on(said.head, Bytes::from(said.body))));
            }
            Word::Trouble => format!("it answered {}", said.head.status.as_u16()),
        },
        Err(why) => why,
    };
    match policy.on_error {
        OnError::Allow => Ok(None),
        OnError::Deny => Err(Denied::Unknown(trouble)),
    }
}

async fn token(
    policy: &Jwt,
    issuer: &Issuer,
    asking: &Asking<'_>,
    pass: &mut Pass,
) -> Result<(), Denied> {
    let token = policy.token(&pass.head.fields)?;
    let worker = &asking.connection.worker;
    let claims = match issuer.keys(worker).await {
        Ok(keys) => match policy.verify(&token, &keys)? {
            Verdict::Good(claims) => claims,
            Verdict::UnknownKey => {
                let newer = issuer.newer_keys(&keys, worker).await;
                match newer.map(|keys| policy.verify(&token, &keys)).transpose()? {
                    Some(Verdict::Good(claims)) => claims,
                    _ => return Err(policy.wrong("none of the issuer's keys has signed it")),
                }
            }
        },
        Err(why) => match policy.on_error {
            OnError::Allow => Default::default(),
            OnError::Deny => return Err(Denied::Unknown(why)),
        },
    };
    policy.reserve(&mut pass.head.fields);
    policy.copy(&claims, &mut pass.added);
    Ok(())
}

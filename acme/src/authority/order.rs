//! One order, from the request to the certificate (RFC 8555 section 7.4).

mod challenge;
mod pending;
mod request;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_certs::Certificate;
use gateway_config::model::{ChallengeKind, HostPattern};
use http::StatusCode;
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, Error, NewOrder, Order, OrderStatus,
    RetryPolicy,
};

use self::challenge::Provided;
use self::pending::Pending;
use self::request::new_key;
use super::despite_bad_nonces;
use super::explain::Attempt;
use super::refusal::{Problem, Refusal};
use crate::dns::{Lookout, Provider};
use crate::failure::{Blame, Failure};
use crate::https::HttpsError;
use crate::names::{KeyType, identifier};
use crate::responder::Responder;
use crate::storage::Storage;

/// How an order's state is asked for, unless the CA says when to ask again.
const POLLING: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_secs(180));

/// What is to be issued.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) id: String,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) key: KeyType,
    pub(crate) profile: Option<String>,
    /// The certificate that this one is to take the place of, at a CA that wants to know.
    pub(crate) replaces: Option<Arc<Certificate>>,
    /// How to prove the names.
    pub(crate) challenge: ChallengeKind,
    /// Whether the result is of use, or only shows that the names are fine.
    pub(crate) rehearsal: bool,
}

/// What names are proved with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) responder: Arc<Responder>,
    pub(crate) dns: Option<(Provider, Lookout)>,
}

/// A certificate that was issued and passed every check.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) certificate: Arc<Certificate>,
    /// Its key and chain, as they are to be kept.
    pub(crate) bundle: Vec<u8>,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum Trouble {
    Failure(Failure),
    /// The CA does not know our account; another may be made.
    NoAccount,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Issue {
    /// Has the certificate issued. What an earlier process began is gone on with.
    ///
    /// `now` is the time as the CA has it, for the check of the certificate's dates.
    pub(crate) async fn run(
        &self,
        account: &Account,
        directory: &str,
        means: &Means,
        now: impl Fn() -> SystemTime,
    ) -> Result<Finished, Trouble> {
        let attempt = Attempt { directory, challenge: Some(self.challenge) };
        let failed = |error: Error| attempt.failure(&error);
        let (mut order, pending) = match self.resume(account, directory, means).await? {
            Some(resumed) => resumed,
            None => self.begin(account, directory, means, &attempt).await?,
        };
        let proved = self.prove(&mut order, means, &attempt).await;
        if let Err(failure) = proved {
            self.forget(means)?;
            return Err(failure.into());
        }
        let chain = match self.finish(&mut order, &pending).await {
            Ok(chain) => chain,
            // It may still come to something, once the CA can be reached again.
            Err(error) if is_passing(&error) => return Err(failed(error).into()),
            Err(error) => {
                self.forget(means)?;
                return Err(failed(error).into());
            }
        };
        let bundle = format!("{}{chain}", pending.key_pem).into_bytes();
        match self.check(&bundle, now(), &attempt) {
            Ok(certificate) => Ok(Finished { certificate: Arc::new(certificate), bundle }),
            Err(failure) => {
                self.forget(means)?;
                Err(failure.into())
            }
        }
    }

    /// Forgets the order: it came to its end, or to nothing.
    pub(crate) fn forget(&self, means: &Means) -> Result<(), Failure> {
        if self.rehearsal { Ok(()) } else { Pending::remove(&*means.storage, &self.id) }
    }

    /// The order that an earlier process left behind, where the CA still knows it and it can still
    /// come to something.
    async fn resume(
        &self,
        account: &Account,
        directory: &str,
        means: &Means,
    ) -> Result<Option<(Order, Pending)>, Failure> {
        if self.rehearsal {
            return Ok(None);
        }
        let Some(pending) = Pending::load(&*means.storage, &self.id, directory)? else {
            return Ok(None);
        };
        let order = despite_bad_nonces(async || account.order(pending.url.clone()).await).await;
        if let Ok(mut order) = order
            && order.state().status != OrderStatus::Invalid
        {
            return Ok(Some((order, pending)));
        }
        // Whatever the CA thinks of it: another order does as well.
        self.forget(means).map(|()| None)
    }

    async fn begin(
        &self,
        account: &Account,
        directory: &str,
        means: &Means,
        attempt: &Attempt<'_>,
    ) -> Result<(Order, Pending), Trouble> {
        let key_pem = new_key(self.key).await?;
        let order = self.new_order(account).await;
        // What went wrong so far was not about a name, whatever is the matter with the account.
        let attempt = match &order {
            Err(error) if is_unauthorized(error) => Attempt { challenge: None, ..*attempt },
            _ => *attempt,
        };
        let order = match order {
            Err(error) if kind(&error) == "accountDoesNotExist" => return Err(Trouble::NoAccount),
            order => order.map_err(|error| attempt.failure(&error))?,
        };
        let pending =
            Pending { url: order.url().to_owned(), directory: directory.to_owned(), key_pem };
        if !self.rehearsal {
            pending.store(&*means.storage, &self.id)?;
        }
        Ok((order, pending))
    }

    async fn new_order(&self, account: &Account) -> Result<Order, Error> {
        let names: Vec<_> = self.hosts.iter().filter_map(identifier).collect();
        let plain = || {
            let order = NewOrder::new(&names);
            match &self.profile {
                Some(profile) => order.profile(profile),
                None => order,
            }
        };
        let replaced = self.replaces.as_ref().and_then(|old| old.certified_key().cert.first());
        if let Some(id) = replaced.and_then(|leaf| CertificateIdentifier::try_from(leaf).ok()) {
            let order = despite_bad_nonces(async || {
                account.new_order(&plain().replaces(id.clone().into_owned())).await
            });
            match order.await {
                // Already replaced, or unknown to this CA: that is no reason to have none.
                Err(error) if may_be_about_replacing(&error) => {}
                order => return order,
            }
        }
        despite_bad_nonces(async || account.new_order(&plain()).await).await
    }

    /// Proves every name that the CA has no proof of.
    async fn prove(
        &self,
        order: &mut Order,
        means: &Means,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        if order.state().status != OrderStatus::Pending {
            return Ok(());
        }
        let mut provided = Provided::new(means, self.challenge);
        let outcome = async {
            fetch_authorizations(order).await.map_err(|error| attempt.failure(&error))?;
            provided.provide_all(order, attempt).await?;
            self.submit(order, attempt).await?;
            self.wait_until_ready(order, attempt).await
        }
        .await;
        provided.clean_up().await;
        outcome
    }

    /// Tells the CA to look.
    async fn submit(&self, order: &mut Order, attempt: &Attempt<'_>) -> Result<(), Failure> {
        let failed = |error: Error| attempt.failure(&error);
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(failed)?;
            if authorization.status != AuthorizationStatus::Pending {
                continue;
            }
            let Some(mut challenge) = authorization.challenge(challenge::kind(self.challenge))
            else {
                continue;
            };
            despite_bad_nonces(async || challenge.set_ready().await).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn wait_until_ready(
        &self,
        order: &mut Order,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let status = despite_bad_nonces(async || order.poll_ready(&POLLING).await).await;
        match status {
            Ok(OrderStatus::Ready) => Ok(()),
            Ok(_) | Err(Error::Api(_)) => Err(self.what_was_wrong(order, status, attempt).await),
            Err(error) => Err(attempt.failure(&error)),
        }
    }

    /// What the CA says of the first name that it could not see proved; the order itself often says
    /// nothing.
    async fn what_was_wrong(
        &self,
        order: &mut Order,
        status: Result<OrderStatus, Error>,
        attempt: &Attempt<'_>,
    ) -> Failure {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let Ok(mut authorization) = authorization else { break };
            if despite_bad_nonces(async || authorization.refresh().await.map(|_| ())).await.is_err()
            {
                break;
            }
            let error = authorization.challenges.iter().find_map(|one| one.error.as_ref());
            if let Some(problem) = error {
                let mut failure = attempt.problem(&Problem::from(problem), None);
                let name = authorization.identifier().to_string();
                if !failure.what.contains(&name) {
                    failure.what = format!("{name}: {}", failure.what);
                }
                // It went and looked, so it is not the CA's own trouble.
                failure.blame = Blame::Name;
                return failure;
            }
        }
        match status {
            Err(error) => attempt.failure(&error),
            Ok(_) => attempt.failure(&Error::Str("an order that is invalid, and not why")),
        }
    }

    async fn finish(&self, order: &mut Order, pending: &Pending) -> Result<String, Error> {
        if order.state().status == OrderStatus::Ready {
            let request = request::signing_request(&self.hosts, &pending.key_pem)?;
            despite_bad_nonces(async || order.finalize_csr(&request).await).await?;
        }
        despite_bad_nonces(async || order.poll_certificate(&POLLING).await).await
    }

    /// Everything that could make the certificate worse than the one it replaces.
    fn check(
        &self,
        bundle: &[u8],
        now: SystemTime,
        attempt: &Attempt<'_>,
    ) -> Result<Certificate, Failure> {
        let bad = |why: &str| Failure {
            blame: Blame::Ca,
            // What to do about a file of the user's is no advice here.
            what: format!(
                "{} has issued a certificate that is of no use: {}.",
                super::known::name(attempt.directory),
                why.split(". ").next().unwrap_or(why).trim_end_matches('.')
            ),
            advice: "Nothing is to be done: it is asked again, and what is served stays.".into(),
            retry_after: None,
        };
        let called = Path::new("what the CA sent");
        let certificate = gateway_certs::load_bundle(called, bundle, now)
            .map_err(|error| bad(&error.to_string()))?;
        match self.hosts.iter().find(|host| !certificate.covers(host)) {
            Some(host) => Err(bad(&format!("it is not valid for {host}"))),
            None => Ok(certificate),
        }
    }
}

/// Gets what the CA wants proved. Afterwards the order has it, and going through it asks nobody.
async fn fetch_authorizations(order: &mut Order) -> Result<(), Error> {
    despite_bad_nonces(async || {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            authorization?;
        }
        Ok(())
    })
    .await
}

fn refusal(error: &Error) -> Option<&Refusal> {
    match error {
        Error::Other(other) => other.downcast_ref(),
        _ => None,
    }
}

pub(super) fn kind(error: &Error) -> &str {
    refusal(error).and_then(|refusal| refusal.problem.as_ref()).map_or("", Problem::kind)
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(kind(error), "unauthorized" | "malformed")
}

/// Whether an order may be refused because of what it says to replace. CAs disagree about how to say
/// so, and asking again without it costs one request.
fn may_be_about_replacing(error: &Error) -> bool {
    match refusal(error) {
        Some(refusal) => {
            refusal.status.is_client_error()
                && !matches!(kind(error), "rateLimited" | "accountDoesNotExist")
                && refusal.status != StatusCode::TOO_MANY_REQUESTS
        }
        None => match error {
            Error::Unsupported(_) => true,
            Error::Other(_) => error.to_string().contains("replaces"),
            _ => false,
        },
    }
}

/// Whether the same order may still be issued: the CA was out of reach, busy or slow.
fn is_passing(error: &Error) -> bool {
    match (refusal(error), error) {
        (Some(refusal), _) => {
            refusal.status.is_server_error() || refusal.status == StatusCode::TOO_MANY_REQUESTS
        }
        (None, Error::Other(other)) => other.is::<HttpsError>(),
        (None, error) => matches!(error, Error::Timeout(_)),
    }
}

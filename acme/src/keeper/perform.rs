//! Taking a step: an order, or a question about a renewal.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_certs::Certificate;
use gateway_config::model::{Acme, AcmeDirectory, ChallengeKind};
use instant_acme::RevocationReason;
use parking_lot::Mutex;

use super::entry::Entry;
use super::{About, Clock, KeeperError, Settings};
use crate::authority::{
    Accounts, Attempt, DirectoryDocument, Finished, Http, Issue, Means, Skew, Suggestion, Trouble,
    known, revoke,
};
use crate::dns::{Lookout, Provider};
use crate::failure::{Blame, Failure};
use crate::https::HttpsClient;
use crate::names::{has_address, is_wildcard};
use crate::plan::{Planner, Stage};
use crate::responder::Responder;
use crate::storage::Storage;

/// How long what a directory says is believed.
const DIRECTORY_IS_GOOD_FOR: Duration = Duration::from_secs(12 * 3600);

/// How long an attempt may take as a whole, with a hundred names and name servers that are slow to
/// follow.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(30 * 60);

/// The profile of Let's Encrypt's in which addresses are certified.
const PROFILE_OF_ADDRESSES: &str = "shortlived";

/// Does what the plan says.
pub(super) struct Performer {
    acme: Acme,
    kinds: Vec<ChallengeKind>,
    means: Means,
    accounts: Accounts,
    /// By the CA's roots file and none.
    clients: HashMap<Option<std::path::PathBuf>, HttpsClient>,
    clock: Clock,
    skew: Skew,
    documents: Mutex<HashMap<String, (SystemTime, DirectoryDocument)>>,
}

/// What came of a step.
pub(super) enum Outcome {
    Order { certificate: usize, ca: usize, stage: Stage, result: Result<Finished, Failure> },
    Renewal { certificate: usize, result: Result<Suggestion, Failure> },
}

/// An order that is to be made.
pub(super) struct ToOrder {
    site: String,
    names: String,
    directory: String,
    stage: Stage,
    issue: Result<Issue, Failure>,
}

impl ToOrder {
    pub(super) fn about(&self) -> About<'_> {
        About {
            site: &self.site,
            hosts: &self.names,
            directory: &self.directory,
            stage: self.stage,
        }
    }

    /// How the names will be proved; none where nothing is possible.
    pub(super) fn challenge(&self) -> Option<ChallengeKind> {
        self.issue.as_ref().ok().map(|issue| issue.challenge)
    }
}

impl Performer {
    pub(super) fn new(
        settings: &Settings,
        storage: Arc<dyn Storage>,
        responder: Arc<Responder>,
        dns: Option<(Provider, Lookout)>,
    ) -> Result<Self, KeeperError> {
        let acme = settings.acme.clone();
        let possible = |kind: &ChallengeKind| match kind {
            ChallengeKind::Dns01 => dns.is_some(),
            kind => settings.listeners.contains(kind),
        };
        let all = || ChallengeKind::ALL.into_iter().filter(possible).collect();
        let kinds = acme.challenges.clone().unwrap_or_else(all);
        let mut clients = HashMap::new();
        for roots in acme.directories.iter().map(|directory| &directory.roots).chain([&None]) {
            let client = HttpsClient::new(roots.as_deref(), &settings.nameservers)?;
            clients.insert(roots.clone(), client);
        }
        Ok(Self {
            kinds,
            means: Means { storage: storage.clone(), responder, dns },
            accounts: Accounts::new(storage, acme.contact.clone()),
            clients,
            clock: settings.clock.clone(),
            skew: Skew::default(),
            documents: Mutex::default(),
            acme,
        })
    }

    pub(super) fn acme(&self) -> &Acme {
        &self.acme
    }

    /// The time, as the CA has it.
    pub(super) fn now(&self) -> SystemTime {
        self.skew.correct((self.clock.0)())
    }

    pub(super) fn skew_seconds(&self) -> i64 {
        self.skew.seconds()
    }

    /// Asks the first CA that can be reached for its directory, before anything is decided: what
    /// time it is, and what it can do. It is no harm where none can be reached.
    pub(super) async fn contact_first(&self) {
        for directory in &self.acme.directories {
            if self.document(directory.ca.url()).await.is_ok() {
                return;
            }
        }
    }

    /// Tells the plan which CAs have renewal information.
    pub(super) fn tell_plan(&self, planner: &mut Planner) {
        for (directory, (_, document)) in self.documents.lock().iter() {
            planner.has_renewal_info(directory, document.has_renewal_info());
        }
    }

    fn configured(&self, directory: &str) -> Option<&AcmeDirectory> {
        self.acme.directories.iter().find(|one| one.ca.url() == directory)
    }

    /// The client for a CA; the staging environment of one is asked without its extra roots.
    fn http(&self, directory: &str) -> Result<Http, Failure> {
        let roots = self.configured(directory).and_then(|one| one.roots.clone());
        let client = self.clients.get(&roots).or_else(|| self.clients.get(&None));
        let client = client.cloned().ok_or_else(|| Failure {
            blame: Blame::Local,
            what: "There is no client for this CA.".into(),
            advice: "This is a mistake in the gateway; please report it.".into(),
            retry_after: None,
        })?;
        Ok(Http { client, skew: self.skew.clone() })
    }

    async fn document(&self, directory: &str) -> Result<DirectoryDocument, Failure> {
        let now = SystemTime::now();
        if let Some((at, document)) = self.documents.lock().get(directory)
            && now.duration_since(*at).is_ok_and(|age| age < DIRECTORY_IS_GOOD_FOR)
        {
            return Ok(document.clone());
        }
        let attempt = Attempt { directory, challenge: None };
        let fetched = DirectoryDocument::fetch(&self.http(directory)?, directory).await;
        let document = fetched.map_err(|error| attempt.failure(&error))?;
        self.documents.lock().insert(directory.to_owned(), (now, document.clone()));
        Ok(document)
    }

    /// The order for an entry. Each further failure takes the next of the challenges that are
    /// possible.
    pub(super) fn order(
        &self,
        entry: &Entry,
        directory: String,
        stage: Stage,
        failures: u32,
        replaces: bool,
    ) -> ToOrder {
        let names = entry.names();
        let issue = self.challenge(entry, failures).map(|challenge| Issue {
            id: entry.id.clone(),
            hosts: entry.hosts.clone(),
            key: entry.key,
            profile: entry.profile.clone(),
            replaces: entry.current.clone().filter(|_| replaces),
            challenge,
            rehearsal: stage == Stage::Rehearsal,
        });
        ToOrder { site: entry.site.clone(), names, directory, stage, issue }
    }

    fn challenge(&self, entry: &Entry, failures: u32) -> Result<ChallengeKind, Failure> {
        let suits = |kind: &ChallengeKind| match kind {
            ChallengeKind::Dns01 => !has_address(&entry.hosts),
            ChallengeKind::Http01 | ChallengeKind::TlsAlpn01 => !is_wildcard(&entry.hosts),
        };
        let kinds: Vec<_> = self.kinds.iter().copied().filter(suits).collect();
        let index = usize::try_from(failures).unwrap_or(0).checked_rem(kinds.len());
        index.and_then(|index| kinds.get(index)).copied().ok_or_else(|| Failure {
            blame: Blame::Local,
            what: "No challenge is possible for these names.".into(),
            advice: "A wildcard needs dns-01, so `dns` in [acme]; an address needs a listener in [server].".into(),
            retry_after: None,
        })
    }

    /// Makes an order and sees it through.
    pub(super) async fn perform(&self, order: &ToOrder) -> Result<Finished, Failure> {
        let performed = tokio::time::timeout(LONGEST_ATTEMPT, self.attempt(order)).await;
        performed.unwrap_or_else(|_| {
            Err(Failure {
                blame: Blame::Ca,
                what: format!(
                    "{} has led to nothing for half an hour.",
                    known::name(&order.directory)
                ),
                advice: "Nothing is to be done: it is asked again.".into(),
                retry_after: None,
            })
        })
    }

    async fn attempt(&self, order: &ToOrder) -> Result<Finished, Failure> {
        let directory = &order.directory;
        let mut issue = order.issue.clone()?;
        let document = self.document(directory).await?;
        issue.replaces = issue.replaces.filter(|_| document.has_renewal_info());
        if issue.profile.is_none()
            && has_address(&issue.hosts)
            && document.profiles().any(|profile| profile == PROFILE_OF_ADDRESSES)
        {
            issue.profile = Some(PROFILE_OF_ADDRESSES.to_owned());
        }
        let http = self.http(directory)?;
        let external = self.configured(directory).and_then(|one| one.eab.as_ref());
        let mut again = true;
        loop {
            let account = self.accounts.at(directory, &http, external).await?;
            match issue.run(&account, directory, &self.means, || self.now()).await {
                Ok(finished) => return Ok(finished),
                Err(Trouble::Failure(failure)) => return Err(failure),
                Err(Trouble::NoAccount) => {
                    // Nor will it know what was issued to it.
                    issue.replaces = None;
                    self.accounts.forget(directory).await.map_err(crate::authority::local)?;
                    if !std::mem::take(&mut again) {
                        return Err(Failure {
                            blame: Blame::Account,
                            what: format!(
                                "{} does not know the account that it has just made.",
                                known::name(directory)
                            ),
                            advice: "It is asked again.".into(),
                            retry_after: None,
                        });
                    }
                }
            }
        }
    }

    /// Asks when a certificate is to be renewed.
    pub(super) async fn ask_renewal(
        &self,
        directory: &str,
        certificate: &Certificate,
    ) -> Result<Suggestion, Failure> {
        let document = self.document(directory).await?;
        let asked = Suggestion::fetch(&self.http(directory)?, &document, certificate).await;
        asked.map_err(|error| Attempt { directory, challenge: None }.failure(&error))
    }

    /// Has a certificate revoked by the account that it was issued to.
    pub(super) async fn revoke(
        &self,
        directory: &str,
        certificate: &Certificate,
        reason: Option<RevocationReason>,
    ) -> Result<(), Failure> {
        let Some(leaf) = certificate.certified_key().cert.first() else { return Ok(()) };
        let account = self.accounts.kept(directory, &self.http(directory)?).await?;
        revoke(&account, directory, leaf, reason).await
    }

    /// Gives the account at a CA a new key.
    pub(super) async fn change_key(&self, directory: &str) -> Result<(), Failure> {
        self.accounts.change_key(directory, &self.http(directory)?).await
    }
}

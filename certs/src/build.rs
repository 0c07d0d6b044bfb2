//! From the sites of a configuration to a store of certificates: everything that is wrong, at once.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use gateway_config::model::{CertificateFiles, HostPattern, Site, Tls};
use thiserror::Error;

use crate::Clock;
use crate::certificate::Certificate;
use crate::error::{CertError, Warning};
use crate::load::load_files;
use crate::local_ca::{IssueError, LocalCa, StorageError};
use crate::slot::Slots;
use crate::store::{CertStore, CertStoreBuilder, list};
use crate::subject_name::SubjectName;

/// Everything that [`build_store`] made.
#[derive(Debug)]
pub struct Built {
    /// Resolves names; the site's index is its place in the slice that was given.
    pub store: CertStore,
    /// What is not right, but no reason to stay down.
    pub warnings: Vec<Warning>,
    /// The local CA, where it is needed. Its [notes](LocalCa::notes) want to be shown.
    pub local_ca: Option<Arc<LocalCa>>,
    /// One for each certificate of each site, in the order of the sites. A certificate that is made
    /// on demand for a `*` site has none.
    pub facts: Vec<CertificateFacts>,
}

impl Built {
    /// When the first certificate of the local CA is due for renewal: build the store again then.
    #[must_use]
    pub fn renew_at(&self) -> Option<SystemTime> {
        let local = |facts: &&CertificateFacts| facts.from == CertificateSource::LocalCa;
        self.facts.iter().filter(local).map(|facts| facts.renew_at).min()
    }
}

/// What there is to say about a certificate in metrics and on the status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The site's place in the slice that was given.
    pub site: usize,
    /// The names that it is made out to.
    pub names: Vec<SubjectName>,
    /// Who issued it.
    pub issuer: String,
    /// Its last valid second.
    pub not_after: SystemTime,
    /// When to have the next one.
    pub renew_at: SystemTime,
    /// Where it comes from.
    pub from: CertificateSource,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// This file of the user's.
    File(PathBuf),
    /// The local CA made it.
    LocalCa,
}

/// Something that keeps a site from being served.
#[derive(Debug)]
pub struct CertProblem {
    /// The site's name.
    pub site: HostPattern,
    /// What is wrong with its certificate.
    pub problem: Problem,
}

impl fmt::Display for CertProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "site `{}`: {}", self.site, self.problem)
    }
}

impl Error for CertProblem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// What keeps a site from being served.
#[derive(Debug, Error)]
pub enum Problem {
    /// Its files are no usable certificate. Shared, because several sites may name the same files.
    #[error("{0}")]
    Files(#[source] Arc<CertError>),
    /// Its certificates do not name its hosts.
    #[error("none of its certificates covers {}. The names in {} are {}. Have a certificate issued that has the missing names as subjectAltName.", list(.missing), list(&display(.files)), list(.covered))]
    NotCovered {
        /// The hosts that no certificate covers.
        missing: Vec<HostPattern>,
        /// The certificate files of the site.
        files: Vec<PathBuf>,
        /// Every name that they cover.
        covered: Vec<SubjectName>,
    },
    /// The site is self-signed or waits for its certificate, and the local CA cannot be opened. Said
    /// once, of the first such site.
    #[error("it needs the local CA, and {0}")]
    LocalCa(#[source] StorageError),
    /// The local CA issued no certificate for the site.
    #[error("it is self-signed, and {0}")]
    Issue(#[source] IssueError),
    /// The local CA issued no certificate to stand in for the one that is to come by ACME.
    #[error("until its certificate comes, {0}")]
    StandIn(#[source] IssueError),
}

fn display(paths: &[PathBuf]) -> Vec<std::path::Display<'_>> {
    paths.iter().map(|path| path.display()).collect()
}

/// Loads or makes the certificates of every site and checks that they cover its hosts. The storage
/// folder is touched only where the local CA is needed.
///
/// Sites whose certificates come by ACME are served with what is in their slots. Where a slot is
/// empty, a certificate of the local CA stands in.
///
/// `clock` tells the time of the checks, and later the time at which a certificate is made on
/// demand for a self-signed `*` site.
///
/// # Errors
/// Every [`CertProblem`] of every site, in the order of the sites.
pub fn build_store(
    sites: &[Site],
    slots: &Slots,
    storage: &Path,
    clock: Clock,
) -> Result<Built, Vec<CertProblem>> {
    let mut build = Build {
        slots,
        storage,
        clock,
        now: clock(),
        read: HashMap::new(),
        local_ca: None,
        builder: CertStoreBuilder::new(),
        warnings: Vec::new(),
        facts: Vec::new(),
        problems: Vec::new(),
        issued: HashSet::new(),
    };
    for (index, site) in sites.iter().enumerate() {
        match &site.tls {
            Tls::Files(files) => build.add_files(index, site, files),
            Tls::SelfSigned => build.add_self_signed(index, site),
            Tls::Acme(_) => build.add_acme(index, site),
        }
    }
    build.finish()
}

/// What came of reading a pair of files; shared by the sites that name the same pair.
type Read = Result<Arc<Certificate>, Arc<CertError>>;

/// What is being put together.
struct Build<'a> {
    slots: &'a Slots,
    storage: &'a Path,
    clock: Clock,
    now: SystemTime,
    /// Every pair of files that has been read, because many sites may share a wildcard certificate.
    read: HashMap<(&'a Path, &'a Path), Read>,
    /// `None` until a site needs it; `Some(None)` once it could not be opened.
    local_ca: Option<Option<Arc<LocalCa>>>,
    builder: CertStoreBuilder,
    warnings: Vec<Warning>,
    facts: Vec<CertificateFacts>,
    problems: Vec<CertProblem>,
    /// The hosts that have a certificate of the local CA.
    issued: HashSet<Vec<HostPattern>>,
}

impl<'a> Build<'a> {
    fn add_files(&mut self, index: usize, site: &Site, files: &'a [CertificateFiles]) {
        let mut certificates = Vec::new();
        let mut failed = false;
        for pair in files {
            match self.read(pair) {
                Ok(certificate) => certificates.push((pair, certificate)),
                Err(error) => {
                    failed = true;
                    self.report(site, Problem::Files(error));
                }
            }
        }
        // With a file missing, nobody knows what it would have covered.
        if failed {
            return;
        }
        let hosts: Vec<_> = site.hosts().cloned().collect();
        for (pair, certificate) in &certificates {
            self.facts.push(facts(index, certificate, CertificateSource::File(pair.cert.clone())));
            if !hosts.iter().any(|host| certificate.covers(host)) {
                let (path, site) = (pair.cert.clone(), site.name.to_string());
                self.warnings.push(Warning::Unused { path, site });
            }
        }
        let loaded: Vec<_> = certificates.into_iter().map(|(_, certificate)| certificate).collect();
        if let Err(uncovered) = self.builder.add_site(index, &hosts, &loaded) {
            self.report(
                site,
                Problem::NotCovered {
                    missing: uncovered.hosts,
                    files: files.iter().map(|pair| pair.cert.clone()).collect(),
                    covered: loaded.iter().flat_map(|one| one.names()).cloned().collect(),
                },
            );
        }
    }

    fn read(&mut self, pair: &'a CertificateFiles) -> Read {
        let (now, warnings) = (self.now, &mut self.warnings);
        let read = self.read.entry((&pair.cert, &pair.key)).or_insert_with(|| {
            let loaded = load_files(pair, now)?;
            warnings.extend(loaded.warnings);
            Ok(Arc::new(loaded.certificate))
        });
        read.clone()
    }

    fn add_self_signed(&mut self, index: usize, site: &Site) {
        let Some(ca) = self.local_ca(site) else {
            return;
        };
        let (any, named): (Vec<_>, Vec<_>) =
            site.hosts().cloned().partition(|host| matches!(host, HostPattern::Any));
        if !any.is_empty() {
            self.builder.add_on_demand(index, Arc::clone(&ca), self.clock);
        }
        if named.is_empty() {
            return;
        }
        match self.issue(&ca, &named) {
            Ok(certificate) => {
                self.facts.push(facts(index, &certificate, CertificateSource::LocalCa));
                // It was made out to these very hosts a moment ago; were one left out after all,
                // that is the same problem as with a file.
                let covered = certificate.names().to_vec();
                if let Err(uncovered) = self.builder.add_site(index, &named, &[certificate]) {
                    let (missing, files) = (uncovered.hosts, vec![ca.root_path().to_owned()]);
                    self.report(site, Problem::NotCovered { missing, files, covered });
                }
            }
            Err(error) => self.report(site, Problem::Issue(error)),
        }
    }

    fn add_acme(&mut self, index: usize, site: &Site) {
        for hosts in site.acme_groups() {
            let slot = self.slots.of(&hosts);
            if slot.wants_better() {
                let Some(ca) = self.local_ca(site) else { return };
                match self.issue(&ca, &hosts) {
                    Ok(certificate) => {
                        self.facts.push(facts(index, &certificate, CertificateSource::LocalCa));
                        slot.stand_in(certificate);
                    }
                    Err(error) => return self.report(site, Problem::StandIn(error)),
                }
            }
            self.builder.add_live(index, &hosts, &slot);
        }
    }

    fn issue(
        &mut self,
        ca: &LocalCa,
        hosts: &[HostPattern],
    ) -> Result<Arc<Certificate>, IssueError> {
        self.issued.insert(hosts.to_vec());
        self.slots.issue(ca, hosts, self.now)
    }

    fn local_ca(&mut self, site: &Site) -> Option<Arc<LocalCa>> {
        if self.local_ca.is_none() {
            let opened = LocalCa::open(self.storage, self.now);
            self.local_ca = Some(match opened {
                Ok(ca) => Some(Arc::new(ca)),
                Err(error) => {
                    self.report(site, Problem::LocalCa(error));
                    None
                }
            });
        }
        self.local_ca.clone().flatten()
    }

    fn report(&mut self, site: &Site, problem: Problem) {
        self.problems.push(CertProblem { site: site.name.clone(), problem });
    }

    fn finish(self) -> Result<Built, Vec<CertProblem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        self.slots.keep_issued(&self.issued);
        Ok(Built {
            store: self.builder.build(),
            warnings: self.warnings,
            local_ca: self.local_ca.flatten(),
            facts: self.facts,
        })
    }
}

fn facts(site: usize, certificate: &Certificate, from: CertificateSource) -> CertificateFacts {
    CertificateFacts {
        site,
        names: certificate.names().to_vec(),
        issuer: certificate.issuer().to_owned(),
        not_after: certificate.not_after(),
        renew_at: certificate.renew_at(),
        from,
    }
}

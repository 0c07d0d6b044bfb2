//! A certificate of another program.

use std::path::PathBuf;
use std::time::SystemTime;

use gateway_certs::{Certificate, load_bundle};

/// The files of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The chain, leaf first.
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

/// A valid certificate and its key.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The file of its chain.
    pub(super) file: PathBuf,
    /// Key and chain, as the gateway keeps them.
    pub(super) bundle: Vec<u8>,
    pub(super) certificate: Certificate,
}

impl Candidate {
    /// Reads a pair and checks it as what the gateway wins itself.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn read(pair: &Pair, now: SystemTime) -> Result<Self, String> {
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| format!("`{}` cannot be read ({error})", path.display()))
        };
        let mut bundle = read(&pair.key)?;
        if !bundle.ends_with(b"\n") {
            bundle.push(b'\n');
        }
        bundle.extend(read(&pair.chain)?);
        let certificate = load_bundle(&pair.chain, &bundle, now).map_err(|e| e.to_string())?;
        Ok(Self { file: pair.chain.clone(), bundle, certificate })
    }

    /// Why no client would trust it, where that can be seen.
    pub(super) fn trusted_by_nobody(&self) -> Option<String> {
        let issuer = self.certificate.issuer();
        let file = self.file.display();
        if issuer.contains("(STAGING)") {
            return Some(format!("`{file}` is of Let's Encrypt's staging environment ({issuer})"));
        }
        let local = issuer.contains("Caddy Local Authority");
        local.then(|| format!("`{file}` is of Caddy's own CA ({issuer})"))
    }
}

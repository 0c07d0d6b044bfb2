//! What there is to import, wherever it is.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gateway_config::model::{Acme, AcmeCa};

use super::candidate::{Candidate, Pair};
use super::{caddy, certbot};

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What was looked at, in a sentence each.
    pub(super) places: Vec<String>,
    /// Certificates that could be taken.
    pub(super) candidates: Vec<Candidate>,
    /// Why others cannot.
    pub(super) passed_over: Vec<String>,
}

/// Looks into a folder, or at all the usual places.
///
/// # Errors
/// A sentence where there is nothing to look at.
pub(super) fn look(from: Option<&Path>, acme: &Acme, now: SystemTime) -> Result<Found, String> {
    let mut found = Found::default();
    let rehearses = acme.directories.iter().any(|one| one.ca == AcmeCa::LetsEncryptStaging);
    match from {
        Some(folder) => found.look_into(folder, rehearses, now)?,
        None => {
            for folder in usual().iter().filter(|folder| folder.is_dir()) {
                found.look_into(folder, rehearses, now)?;
            }
            if found.places.is_empty() {
                return Err(
                    "neither certbot nor Caddy has left certificates at the usual places; \
                            name a folder with --from"
                        .into(),
                );
            }
        }
    }
    Ok(found)
}

/// Where the two keep certificates when nobody says otherwise.
fn usual() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let data = variable("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/share")));
    let mut folders = vec![PathBuf::from(certbot::USUAL)];
    folders.extend(data.map(|data| data.join("caddy")));
    folders.extend(caddy::USUAL.map(PathBuf::from));
    folders.dedup();
    folders
}

impl Found {
    fn look_into(&mut self, folder: &Path, rehearses: bool, now: SystemTime) -> Result<(), String> {
        let shown = folder.display();
        super::entries(folder)?;
        let (program, pairs) = if let Some(live) = certbot::recognise(folder) {
            ("certbot", certbot::pairs(&live)?)
        } else if let Some(certificates) = caddy::recognise(folder) {
            ("Caddy", caddy::pairs(&certificates)?)
        } else {
            return Err(format!(
                "`{shown}` is neither certbot's folder (there is no live/NAME/fullchain.pem) nor \
                 Caddy's (there is no certificates/CA/NAME/NAME.crt)"
            ));
        };
        let count = pairs.len();
        let s = if count == 1 { "" } else { "s" };
        self.places.push(format!("{shown}: {program}'s, with {count} certificate{s}"));
        for pair in &pairs {
            self.add(pair, rehearses, now);
        }
        Ok(())
    }

    fn add(&mut self, pair: &Pair, rehearses: bool, now: SystemTime) {
        match Candidate::read(pair, now) {
            Ok(candidate) => match candidate.trusted_by_nobody().filter(|_| !rehearses) {
                Some(why) => self.passed_over.push(why),
                None => self.candidates.push(candidate),
            },
            Err(why) => self.passed_over.push(why),
        }
    }
}

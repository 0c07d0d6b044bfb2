//! What there is to say about each certificate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use gateway_acme::storage::{Disk, StorageError};
use gateway_acme::{Keeper, KeyType, State};
use gateway_certs::{KeyKind, Slots, load_files, read_bundle};
use gateway_config::model::{CertificateFiles, Config, Site, Tls};

use super::super::super::acme::failed::Attempts;
use super::super::super::at::At;
use super::{Row, Source};
use crate::acme::wanted;

/// Every certificate, in the order of the sites.
pub(super) fn rows(config: &Config, now: SystemTime) -> Result<Vec<Row>, StorageError> {
    let mut by_site: HashMap<String, Vec<State>> = HashMap::new();
    let wanted = wanted(config, &Slots::default());
    if !wanted.is_empty() {
        let storage = Arc::new(Disk::existing(&config.server.storage));
        for state in Keeper::look(&config.acme, wanted, storage, now)? {
            by_site.entry(state.site.clone()).or_default().push(state);
        }
    }
    let mut rows = Vec::new();
    for site in &config.sites {
        let name = site.name.to_string();
        match &site.tls {
            Tls::Acme(_) => {
                let states = by_site.remove(&name).unwrap_or_default();
                rows.extend(states.iter().map(|state| by_acme(state, now)));
            }
            Tls::SelfSigned => rows.push(of_local_ca(site)),
            Tls::Files(pairs) => rows.extend(pairs.iter().map(|pair| of_file(&name, pair, now))),
        }
    }
    Ok(rows)
}

fn by_acme(state: &State, now: SystemTime) -> Row {
    Row {
        site: state.site.clone(),
        names: state.hosts.iter().map(ToString::to_string).collect(),
        source: Source::Acme,
        file: Some(state.kept_in.clone()),
        key: Some(kind_of(state.key).to_string()),
        issuer: state.issuer.clone(),
        serial: state.serial.clone(),
        not_before: state.lifetime.map(|lifetime| lifetime.not_before.into()),
        not_after: state.lifetime.map(|lifetime| lifetime.not_after.into()),
        attempts: Some(Attempts::of(state, now)),
        problems: state.damaged.clone(),
    }
}

fn kind_of(key: KeyType) -> KeyKind {
    match key {
        KeyType::Ecdsa => KeyKind::Ecdsa,
        KeyType::Rsa => KeyKind::Rsa,
    }
}

fn of_local_ca(site: &Site) -> Row {
    Row {
        names: site.hosts().map(ToString::to_string).collect(),
        key: Some(KeyKind::Ecdsa.to_string()),
        ..Row::unknown(site.name.to_string(), Source::LocalCa)
    }
}

fn of_file(site: &str, pair: &CertificateFiles, now: SystemTime) -> Row {
    let mut row = Row::unknown(site.to_owned(), Source::File);
    row.file = Some(pair.cert.display().to_string());
    let certificate = match load_files(pair, now) {
        Ok(loaded) => {
            row.problems = loaded.warnings.iter().map(ToString::to_string).collect();
            Some(loaded.certificate)
        }
        Err(error) => {
            row.problems = vec![error.to_string()];
            whatever_its_dates(pair)
        }
    };
    if let Some(certificate) = certificate {
        row.names = certificate.names().iter().map(ToString::to_string).collect();
        row.key = Some(certificate.key_kind().to_string());
        row.issuer = Some(certificate.issuer().to_owned());
        row.serial = Some(certificate.serial().to_owned());
        row.not_before = Some(At(certificate.not_before()));
        row.not_after = Some(At(certificate.not_after()));
    }
    row
}

/// What is wrong may be the dates alone; then they are worth showing.
fn whatever_its_dates(pair: &CertificateFiles) -> Option<gateway_certs::Certificate> {
    let mut text = std::fs::read(&pair.key).ok()?;
    text.push(b'\n');
    text.extend(std::fs::read(&pair.cert).ok()?);
    read_bundle(&pair.cert, &text).ok()
}

impl Row {
    fn unknown(site: String, source: Source) -> Self {
        Self {
            site,
            names: Vec::new(),
            source,
            file: None,
            key: None,
            issuer: None,
            serial: None,
            not_before: None,
            not_after: None,
            attempts: None,
            problems: Vec::new(),
        }
    }
}

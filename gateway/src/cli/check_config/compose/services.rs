//! The services of one or several Compose files, by every name that a network knows them by.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use gateway_config::{Place, Problem};
use serde_saphyr::Location;

use super::super::finding::Finding;
use super::file::{File, Network, Networks, ServiceEntry};
use super::ports::{Mapping, ports, target, written};
use crate::cli::load::cannot_read;

/// Every service.
#[derive(Debug, Default)]
pub(super) struct Services {
    list: Vec<Service>,
    /// The files that were named.
    named: Vec<PathBuf>,
    /// Every file that was read, the included ones too.
    read: BTreeSet<PathBuf>,
    /// Whether variables stand for names, or for files with names.
    pub(super) incomplete: bool,
}

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    /// Its key under `services`.
    pub(super) name: String,
    /// Its container's name, and its aliases.
    other_names: Vec<String>,
    expose: Option<(Vec<RangeInclusive<u16>>, Place)>,
    mappings: Vec<(Mapping, Place)>,
    /// Its addresses that are written down.
    addresses: Vec<IpAddr>,
    /// The ports of the container that the host publishes; none where a variable decides about one.
    published: Option<Vec<RangeInclusive<u16>>>,
    /// Whether a variable decides about one of its ports.
    unclear: bool,
}

impl Services {
    /// Reads a file and what it includes.
    ///
    /// # Errors
    /// The problem of the file.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), Box<Problem>> {
        self.named.push(path.to_owned());
        self.add_file(path)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Box<Problem>> {
        if !self.read.insert(path.to_owned()) {
            return Ok(());
        }
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read {shown}: {error}");
            Box::new(cannot_read(&message, "name the Compose file with --compose FILE"))
        })?;
        let file: File = serde_saphyr::from_str(&text)
            .map_err(|error| Box::new(bad_file(path, &text, &error)))?;
        for (name, entry) in file.services.unwrap_or_default() {
            let at = |location: Location| place_in(path, &text, location);
            let entry = entry.unwrap_or_default();
            self.incomplete |= names(&entry).any(|name| name.contains('$'));
            self.list.push(Service::new(name.value, &entry, at));
        }
        self.list.sort_by(|one, other| one.name.cmp(&other.name));
        let folder = path.parent().unwrap_or(Path::new(""));
        for included in file.include.iter().flat_map(|include| include.paths()) {
            if included.contains('$') || included.contains("://") {
                self.incomplete = true;
            } else {
                self.add_file(&folder.join(included))?;
            }
        }
        Ok(())
    }

    /// Whether an address is a service's own in a network of Docker's, with a port that the host does
    /// not publish: then only its neighbours there reach it.
    pub(super) fn keep_inside(&self, address: SocketAddr) -> bool {
        let mut owners =
            self.list.iter().filter(|service| service.addresses.contains(&address.ip()));
        let inside = |service: &Service| {
            let published = service.published.as_ref();
            published.is_some_and(|all| !all.iter().any(|ports| ports.contains(&address.port())))
        };
        // None published in one file may be in another, so every mention counts.
        owners.next().is_some_and(|first| {
            self.list.iter().filter(|service| service.name == first.name).all(inside)
        })
    }

    /// The services that a network knows by this name.
    pub(super) fn called<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Service> {
        self.list
            .iter()
            .filter(move |service| service.names().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// Every name, in alphabetical order of the services.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().flat_map(Service::names)
    }

    /// The files that were named, for a sentence.
    pub(super) fn files(&self) -> String {
        let files: Vec<String> = self.named.iter().map(|path| path.display().to_string()).collect();
        files.join(" and ")
    }
}

fn names(entry: &ServiceEntry) -> impl Iterator<Item = &String> {
    let aliases = match &entry.networks {
        Some(Networks::ByName(networks)) => {
            networks.values().flatten().flat_map(|network| network.aliases.iter()).collect()
        }
        Some(Networks::Names(_)) | None => Vec::new(),
    };
    entry.container_name.iter().chain(aliases)
}

impl Service {
    fn new(name: String, entry: &ServiceEntry, at: impl Fn(Location) -> Place) -> Self {
        let exposed: Vec<_> = entry.expose.iter().map(|entry| ports(&entry.value.text())).collect();
        let mapped: Vec<_> = entry
            .ports
            .iter()
            .map(|entry| (Mapping::read(&entry.value), entry.referenced))
            .collect();
        let unclear =
            exposed.contains(&None) || mapped.iter().any(|(mapping, _)| mapping.is_none());
        let addresses = match &entry.networks {
            Some(Networks::ByName(networks)) => {
                networks.values().flatten().flat_map(Network::addresses).collect()
            }
            Some(Networks::Names(_)) | None => Vec::new(),
        };
        let place = entry.expose.first().map(|entry| at(entry.referenced));
        Self {
            name,
            other_names: names(entry).cloned().collect(),
            expose: place.map(|place| (exposed.into_iter().flatten().collect(), place)),
            mappings: mapped
                .into_iter()
                .filter_map(|(mapping, from)| Some((mapping?, at(from))))
                .collect(),
            unclear,
            addresses,
            published: entry.ports.iter().map(|entry| target(&entry.value)).collect(),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.other_names).map(String::as_str)
    }

    /// Whether it listens on a port, as far as it says.
    pub(super) fn listens_on(&self, port: u16) -> bool {
        let exposed = self.expose.iter().flat_map(|(ports, _)| ports);
        let targets = self.mappings.iter().map(|(mapping, _)| &mapping.target);
        self.unclear || exposed.chain(targets).any(|ports| ports.contains(&port))
    }

    /// Where it listens for what reaches the host at a port, and where that is said.
    pub(super) fn published(&self, port: u16) -> Option<(u16, &Place)> {
        self.mappings.iter().find_map(|(mapping, place)| Some((mapping.target_of(port)?, place)))
    }

    /// What it exposes, for a sentence, and where that is said.
    pub(super) fn exposed(&self) -> Option<(String, &Place)> {
        let (ports, place) = self.expose.as_ref()?;
        Some((ports.iter().map(written).collect::<Vec<_>>().join(", "), place))
    }
}

fn bad_file(path: &Path, text: &str, error: &serde_saphyr::Error) -> Problem {
    let place = error.location().map(|location| place_in(path, text, location));
    let said = error.without_snippet().to_string();
    // The place is shown by itself.
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    let message = format!("{} is not a Compose file: {said}", path.display());
    let help = "`docker compose config` checks the whole file".to_owned();
    Finding::BadCompose.problem(message, help, place)
}

fn place_in(path: &Path, text: &str, location: Location) -> Place {
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let line_start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let line_text = text[line_start..].lines().next().unwrap_or_default();
    let offset = line_text.char_indices().nth(column - 1).map_or(line_text.len(), |(at, _)| at);
    let token = line_text[offset..].split([' ', '#', ',', ']', '}']).next().unwrap_or_default();
    let start = line_start + offset;
    Place::of(&path.display().to_string(), text, &(start..start + token.len()))
}

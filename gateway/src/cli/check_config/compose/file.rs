//! The parts of a Compose file that say what a container is called and where it listens
//! (<https://github.com/compose-spec/compose-spec>).

use std::collections::HashMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_saphyr::Spanned;

/// A Compose file. Everything else in it is left alone.
#[derive(Debug, Default, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) services: Option<HashMap<Spanned<String>, Option<ServiceEntry>>>,
    #[serde(default)]
    pub(super) include: Vec<Include>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ServiceEntry {
    pub(super) container_name: Option<String>,
    #[serde(default)]
    pub(super) networks: Option<Networks>,
    #[serde(default)]
    pub(super) expose: Vec<Spanned<Scalar>>,
    #[serde(default)]
    pub(super) ports: Vec<Spanned<Published>>,
}

/// Networks by name alone, or with what the service is called there.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Networks {
    ByName(HashMap<String, Option<Network>>),
    Names(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
pub(super) struct Network {
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) ipv4_address: Option<String>,
    pub(super) ipv6_address: Option<String>,
}

/// A number that people write with quotes or without.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(u16),
    Text(String),
}

/// An entry of `ports`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Published {
    Short(Scalar),
    Long { target: Scalar, published: Option<Scalar> },
}

/// An entry of `include`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Include {
    One(String),
    Long { path: Paths },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Paths {
    One(String),
    Several(Vec<String>),
}

impl Scalar {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Network {
    /// The addresses that the service has in this network, as far as they are written down.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let written = self.ipv4_address.iter().chain(&self.ipv6_address);
        written.filter_map(|text| or_default(text).parse().ok())
    }
}

/// What a variable stands for where nobody sets it: `10.0.0.2` of `${ADDRESS:-10.0.0.2}`.
fn or_default(text: &str) -> &str {
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inner.and_then(|inner| inner.split_once(":-")).map_or(text, |(_, default)| default)
}

impl Include {
    pub(super) fn paths(&self) -> &[String] {
        match self {
            Self::One(path) | Self::Long { path: Paths::One(path) } => std::slice::from_ref(path),
            Self::Long { path: Paths::Several(paths) } => paths,
        }
    }
}

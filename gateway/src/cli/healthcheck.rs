//! `gateway healthcheck`: for a container's HEALTHCHECK, in an image without a shell and without curl.

mod get;
mod url;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use gateway_config::model::ListenAddr;

use super::load::{ConfigFile, load};
use super::output::{complain, print};
pub(super) use get::{GetError, Manner, Reply, ask as ask_by, get};
pub(super) use url::HttpUrl;

/// Where a gateway is asked whose configuration is not at hand.
const USUAL_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);

/// Arguments of `gateway healthcheck`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exits with 0 where the answer's status is 2xx, otherwise with 1 and one sentence on stderr.

Without --url it asks /readyz of the configuration's `admin` listener; without a configuration,
http://127.0.0.1:9180/readyz.

Examples:
  gateway healthcheck
  gateway healthcheck --url http://127.0.0.1/healthz --timeout 1s

In a Dockerfile:
  HEALTHCHECK --interval=10s --timeout=5s CMD [\"/gateway\", \"healthcheck\"]")]
pub(super) struct Arguments {
    /// What to ask instead: a plain http URL
    #[arg(long, conflicts_with = "config")]
    url: Option<HttpUrl>,
    #[command(flatten)]
    file: ConfigFile,
    /// How long the whole exchange may take, such as 500ms, 3s or 1m
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = parse_timeout)]
    timeout: Duration,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let asked = match arguments.url.clone().map_or_else(|| admin_of(&arguments.file), Ok) {
        Ok(url) => ask(&url, arguments.timeout),
        Err(sentence) => Err(sentence),
    };
    match asked {
        Ok(sentence) => print(&format!("{sentence}\n"), ExitCode::SUCCESS),
        Err(sentence) => {
            complain(&format!("{sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

fn ask(url: &HttpUrl, limit: Duration) -> Result<String, String> {
    match get(url, limit) {
        Ok(reply) if reply.is_good() => Ok(format!("{url} answers {}", reply.status())),
        Ok(reply) => Err(format!("{url} answers {}{}", reply.status(), said(&reply))),
        Err(error) => Err(format!("{url} {error}")),
    }
}

/// The lines of an unhappy answer as the end of a sentence.
fn said(reply: &Reply) -> String {
    let lines = reply.body().lines().map(|line| line.trim().trim_end_matches('.'));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let text = lines.join("; ").replace(char::is_control, "\u{fffd}");
    if text.is_empty() { text } else { format!(": {text}") }
}

fn admin_of(file: &ConfigFile) -> Result<HttpUrl, String> {
    admin_listener(file, "/readyz").map_err(|why| match why {
        NoAdmin::Unreadable(error) => format!("{error}; name a URL with --url"),
        NoAdmin::Off(file) => {
            format!("{file} has no `admin` listener with a known port; name another URL with --url")
        }
    })
}

/// Why nobody knows where the admin listener is.
pub(super) enum NoAdmin {
    Unreadable(String),
    /// The file, which says that there is none or that its port is chosen by the system.
    Off(String),
}

/// A path of the admin listener that a configuration names, or of the usual one without a
/// configuration.
pub(super) fn admin_listener(file: &ConfigFile, target: &str) -> Result<HttpUrl, NoAdmin> {
    let path = file.path();
    if file.named().is_none() && !path.exists() {
        return Ok(HttpUrl::of(USUAL_ADMIN, target));
    }
    let shown = path.display();
    let admin = match load(&path) {
        Ok(loaded) => loaded.config.server.admin,
        // A file that is being edited says nothing about the gateway that runs.
        Err(_) => match std::fs::read_to_string(&path) {
            Ok(text) => Some(admin_in(&text).unwrap_or(ListenAddr(USUAL_ADMIN))),
            Err(_) if path.is_dir() => Some(ListenAddr(USUAL_ADMIN)),
            Err(error) => {
                return Err(NoAdmin::Unreadable(format!("cannot read {shown}: {error}")));
            }
        },
    };
    admin.and_then(|admin| reached_at(admin, target)).ok_or_else(|| NoAdmin::Off(shown.to_string()))
}

/// The admin listener of a file with errors.
fn admin_in(text: &str) -> Option<ListenAddr> {
    let (file, _errors) = toml::de::DeTable::parse_recoverable(text);
    let server = file.get_ref().get("server")?.get_ref().as_table()?;
    Some(ListenAddr(server.get("admin")?.get_ref().as_str()?.parse().ok()?))
}

/// A path of a listener, as it is reached from the same machine.
pub(super) fn reached_at(ListenAddr(mut address): ListenAddr, path: &str) -> Option<HttpUrl> {
    if address.ip().is_unspecified() {
        // A wildcard listens on IPv4 too, and every machine has this address.
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    (address.port() != 0).then(|| HttpUrl::of(address, path))
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let total =
        number.parse::<u64>().ok().zip(milliseconds).and_then(|(n, unit)| n.checked_mul(unit));
    match total {
        Some(total) if (1..=3_600_000).contains(&total) => Ok(Duration::from_millis(total)),
        _ => Err("write a duration such as 500ms, 3s or 1m, at most an hour".into()),
    }
}

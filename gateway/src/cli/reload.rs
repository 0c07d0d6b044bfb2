//! `gateway reload`: asks the gateway that runs to read its configuration again.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::healthcheck::{GetError, HttpUrl, Manner, NoAdmin, admin_listener, ask_by, reached_at};
use super::load::ConfigFile;
use super::output::{complain, print};
use crate::admin::RELOAD;

/// Loading many certificates may take a while. Past this, nobody knows what came of it.
const LIMIT: Duration = Duration::from_secs(120);

/// Arguments of `gateway reload`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The gateway that runs reads the file again that `gateway run` was given, and says what has changed.
Where anything is wrong with it, it says what and where, as check-config does, and serves the
configuration that it has. Requests, WebSockets and connections go on either way.

It is asked at the `admin` listener that the configuration names, from the same machine or container.
SIGHUP has the same effect; what came of it then stands in the gateway's log.

Exit codes: 0 reloaded, 1 not reloaded, or no gateway there.

Examples:
  gateway check-config && gateway reload
  docker compose exec gateway /gateway reload")]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The admin listener to ask, where the configuration no longer names the one in use
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match reload(arguments) {
        Ok((true, text)) => print(&text, ExitCode::SUCCESS),
        Ok((false, text)) if arguments.json => print(&text, ExitCode::FAILURE),
        Ok((false, text)) => {
            complain(&text);
            ExitCode::FAILURE
        }
        Err(sentence) => {
            complain(&format!("error: {sentence}\n"));
            ExitCode::FAILURE
        }
    }
}

/// What the gateway said, and whether it has done so.
fn reload(arguments: &Arguments) -> Result<(bool, String), String> {
    let url = address(arguments)?;
    let accept = if arguments.json { "application/json" } else { "text/plain" };
    let manner = Manner { method: "POST", accept, to_the_end: true };
    let reply = ask_by(&url, manner, LIMIT).map_err(|error| match error {
        GetError::Connect(error) => format!(
            "no gateway answers at {url}: {error}; start one with `gateway run`, or name the admin \
             listener of the one that runs with --admin ADDRESS"
        ),
        error => format!("{url} {error}"),
    })?;
    Ok((reply.is_good(), reply.body().to_owned()))
}

fn address(arguments: &Arguments) -> Result<HttpUrl, String> {
    if let Some(admin) = arguments.admin {
        let url = reached_at(gateway_config::model::ListenAddr(admin), RELOAD);
        return url.ok_or_else(|| "--admin needs the port that the gateway listens on".to_owned());
    }
    admin_listener(&arguments.file, RELOAD).map_err(|why| match why {
        NoAdmin::Unreadable(error) => format!("{error}; name the admin listener with --admin ADDRESS"),
        NoAdmin::Off(file) => format!(
            "{file} has no `admin` listener with a known port; name it with --admin ADDRESS, or send \
             the gateway's process SIGHUP"
        ),
    })
}

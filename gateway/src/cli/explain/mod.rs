//! `gateway explain`: what would happen to a request, and why.

mod human;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use gateway_config::model::Config;
use http::Method;

use super::load::ConfigFile;
use super::output::{UNREADABLE, complain, print};
use crate::explain::{Explanation, Question, explain};
use crate::terminal::may_be_coloured;
use gateway_config::nearest;

/// Somebody on the internet: an address that is nobody's (RFC 5737).
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// More hosts than these are not listed.
const MANY: usize = 20;

/// Arguments of `gateway explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing but the configuration is read, and nothing is connected to: this says what the gateway would
do, not whether the upstream is there. A 403 or 404 that is explained is a success (exit code 0);
errors in the configuration are 1, wrong arguments and unreadable files 2.

Examples:
  gateway explain https://uat.example.com/api/v1/items
  gateway explain uat.example.com/metrics --from 172.20.0.5
  gateway explain https://uat.example.com/ --from 173.245.48.9 --header 'CF-Connecting-IP: 198.51.100.7'
  gateway explain http://uat.example.com/        what the plain listener answers
  gateway explain https://uat.example.com/x --json | jq .outcome")]
pub(super) struct Arguments {
    /// The URL that is asked for; without a scheme, https
    url: String,
    /// The request's method
    #[arg(long, short = 'X', default_value = "GET", value_name = "METHOD")]
    method: Method,
    /// The address that the connection comes from [default: 192.0.2.1, a stranger]
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// A header of the request; may be given several times
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    header: Vec<String>,
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let Arguments { url, method, from, header, .. } = arguments;
    let peer = from.unwrap_or(STRANGER);
    let question = match Question::read(url, method.clone(), header, peer) {
        Ok(question) => question,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            return UNREADABLE.into();
        }
    };
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    let explanation = explain(&config, &question);
    let text = if arguments.json {
        json(&explanation)
    } else {
        let colour = may_be_coloured(&std::io::stdout());
        let mut text = human::render(&explanation, from.is_none(), colour);
        if explanation.outcome.is_unknown_host() {
            text.push_str(&known_hosts(&config, question.host.as_str()));
        }
        text
    };
    print(&text, ExitCode::SUCCESS)
}

fn json(explanation: &Explanation) -> String {
    // Every key is a string, so that nothing can fail here.
    let text = serde_json::to_string_pretty(explanation).unwrap_or_default();
    format!("{text}\n")
}

/// The hosts that there are, and the one that was probably meant.
fn known_hosts(config: &Config, asked: &str) -> String {
    let hosts: Vec<String> =
        config.sites.iter().flat_map(|site| site.hosts()).map(ToString::to_string).collect();
    let mut text = String::from("\n");
    if let Some(meant) = nearest(asked, hosts.iter().map(String::as_str)) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "Did you mean {meant}?");
    }
    let shown = hosts.get(..MANY).unwrap_or(&hosts).join(", ");
    let more = hosts.len().saturating_sub(MANY);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let _ = writeln!(text, "The sites answer to {shown}{rest}.");
    text
}

//! `gateway acme doctor`: why a certificate does not come, and what to do.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::process::ExitCode;

use gateway_acme::doctor::{Check, Examination, Ports, Report, Severity, TIME_LIMIT, examine};
use gateway_certs::Slots;
use gateway_config::HostError;
use gateway_config::model::HostPattern;

use crate::acme::wanted;
use crate::cli::load::ConfigFile;
use crate::cli::output::{complain, print};
use crate::terminal::may_be_coloured;

/// Arguments of `gateway acme doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
To be called on the machine of the gateway, as its user, beside the running gateway or before its
first start: then this listens in its place on the plain listeners, for a few seconds. Nothing is
changed: no record, no file, no order. It connects to the domain's public addresses, to its name
servers and to the CAs.

Exit codes: 0 nothing is a problem, 1 something is, or the configuration has errors, 2 wrong arguments
or a configuration that cannot be read.

Examples:
  gateway acme doctor example.com
  gateway acme doctor '*.example.com' --config /etc/gateway/gateway.toml
  gateway acme doctor example.com --json | jq '.findings[] | select(.severity == \"problem\")'")]
pub(in crate::cli) struct Arguments {
    /// The domain, as a site answers to it
    #[arg(value_parser = domain)]
    domain: HostPattern,
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON, for scripts: {domain, ok, proved_by, findings}
    #[arg(long)]
    json: bool,
}

/// A domain; the rest of a URL is left out.
fn domain(text: &str) -> Result<HostPattern, HostError> {
    let text = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
    HostPattern::parse(text.split('/').next().unwrap_or(text))
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let config = match arguments.file.load() {
        Ok(loaded) => loaded.config,
        Err(code) => return code,
    };
    let examination = Examination {
        domain: arguments.domain.clone(),
        wanted: wanted(&config, &Slots::default()),
        config,
        ports: Ports::default(),
        time_limit: TIME_LIMIT,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("error: the system gives no event queue ({error})\n"));
            return ExitCode::FAILURE;
        }
    };
    let report = runtime.block_on(examine(&examination, &mut progress));
    let code = if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let text = match arguments.json {
        true => json(&report),
        false => human(&report, may_be_coloured(&std::io::stdout())),
    };
    print(&text, code)
}

/// Says on a terminal what is still looked at, since that takes some seconds.
fn progress(open: &[Check]) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let open: Vec<_> = open.iter().map(ToString::to_string).collect();
    match open.is_empty() {
        true => complain("\r\x1b[K"),
        false => complain(&format!("\r\x1b[Klooking at: {}", open.join(", "))),
    }
}

fn json(report: &Report) -> String {
    // Every key is a string, so that nothing can fail here.
    let text = serde_json::to_string_pretty(report).unwrap_or_default();
    format!("{text}\n")
}

fn human(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let severity = painted(finding.severity, colour);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{severity}  {:<13}  {}", finding.check.to_string(), finding.what);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:24}{advice}", "");
        }
    }
    let _ = writeln!(text, "\n{}", verdict(report));
    text
}

fn painted(severity: Severity, colour: bool) -> String {
    let paint = match severity {
        Severity::Ok => "32",
        Severity::Warning => "33",
        Severity::Problem => "1;31",
    };
    match colour {
        true => format!("\x1b[{paint}m{severity:<7}\x1b[0m"),
        false => format!("{severity:<7}"),
    }
}

/// The last line.
fn verdict(report: &Report) -> String {
    let domain = &report.domain;
    let problems = report.count(Severity::Problem);
    let by: Vec<_> = report.proved_by.iter().map(ToString::to_string).collect();
    match (problems, by.is_empty()) {
        (0, true) => format!("{domain}: nothing was seen that keeps a certificate from coming."),
        (0, false) => format!("{domain}: a certificate can come, by {}.", by.join(" or ")),
        (1, _) => format!("{domain}: a problem keeps a certificate from coming."),
        (many, _) => format!("{domain}: {many} problems keep a certificate from coming."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_may_come_as_a_url() {
        let domain = |text| domain(text).map(|domain| domain.to_string());
        for text in ["Example.COM.", "https://example.com/", "http://example.com/a/b"] {
            assert_eq!(domain(text).as_deref(), Ok("example.com"), "{text}");
        }
        assert_eq!(domain("*.example.com").as_deref(), Ok("*.example.com"));
        assert!(domain("a b").is_err());
    }
}

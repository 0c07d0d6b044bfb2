//! From TOML to the domain: every table is read to its end and every problem reported, so that a
//! file's author sees all of them at once.

mod acme;
mod auth;
mod cache_control;
mod compress;
mod cors;
mod errors;
mod headers;
mod limits;
mod names;
mod node;
mod policies;
mod routes;
mod secret;
mod server;
mod sites;
mod table;
mod tls;
mod upstreams;
mod variants;
mod webhook;
mod wrong_type;

use toml::de::DeTable;

use crate::check;
use crate::complaint::{Complaint, Report};
use crate::model::{AcmeCertificate, Config, Limit};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::parse_include;
use names::Names;
use table::Table;
use upstreams::Upstreams;

pub(crate) use acme::ReadAcme;
pub(crate) use sites::{ReadRedirect, ReadRoute, ReadSite};

/// What the parts of a file are read against.
struct Context<'a> {
    report: &'a Report<'a>,
    /// What `[acme]` says for every site.
    certificate: &'a AcmeCertificate,
    limits: Names<Limit>,
    upstreams: Upstreams<'a>,
}

/// The configuration, or `None` where an error was reported.
pub(crate) fn read<'a>(report: &'a Report<'a>, entries: &'a DeTable<'a>) -> Option<Config> {
    let root = Table::root(report, entries).labelled("the file");
    // Followed already, before there was anything to read here; only what is wrong with it is missing.
    root.read("include", |node| node.each(|item| item.parse(Format::Include, parse_include)));
    let acme = root.read("acme", |node| acme::read(&node))?;
    let context = Context {
        report,
        certificate: &acme.certificate,
        limits: limits::read(root.given("limit")),
        upstreams: upstreams::read(root.given("upstream"), report),
    };
    let server = root.read("server", |node| server::read(&node, &context));
    let level = server.as_ref().map(|server| &server.level);
    let sites = sites::read(root.given("site"), level, &context);
    let acme_span = root.key_span("acme");
    root.finish();

    if let Some(server) = &server {
        check::listeners(&server.listeners, report);
    }
    check::hosts(&sites, report);
    check::acme(&acme, &sites, server.as_ref().map(|server| &server.listeners), report);
    if let Some(server) = &server {
        check::redirects(&sites, &server.listeners, report);
    }
    if report.has_errors() {
        // What could not be read may have named what seems unused.
        return None;
    }
    report_unused_acme(acme_span.as_ref(), &sites, report);
    context.limits.report_unused(report, Code::UnusedLimit);
    context.upstreams.report_unused(report);
    Some(Config {
        server: server?.server,
        acme: acme.acme,
        sites: sites.into_iter().map(ReadSite::finish).collect::<Option<_>>()?,
        upstreams: context.upstreams.used(),
        limits: context.limits.values().cloned().collect(),
    })
}

fn report_unused_acme(span: Option<&Span>, sites: &[ReadSite], report: &Report<'_>) {
    if span.is_some() && !sites.iter().any(ReadSite::is_acme) {
        let complaint = Complaint::new(Code::UnusedAcme, "no site has its certificates by ACME")
            .help("write tls = \"acme\" on a site, or remove [acme]");
        report.add(span, complaint);
    }
}

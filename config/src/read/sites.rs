//! `[site."HOST"]`.

use http::StatusCode;

use super::node::{NamedNode, Node};
use super::table::Table;
use super::{Context, policies, routes, tls};
use crate::complaint::{Complaint, quoted};
use crate::host::HostError;
use crate::level::{Level, merge};
use crate::model::{
    Action, ClientCerts, HostPattern, PathPattern, Policy, Redirect, Route, Site, Tls,
};
use crate::problem::Code;
use crate::source::Span;
use crate::spec::Format;
use crate::text::{Location, parse_header_name, parse_url};

/// A site as far as it could be read, with what further checks need of it.
pub(crate) struct ReadSite {
    /// Every host that could be read, the site's name first, each with its place.
    pub(crate) hosts: Vec<(HostPattern, Span)>,
    pub(crate) routes: Vec<ReadRoute>,
    name: Option<HostPattern>,
    tls: Option<Tls>,
    policy: Policy,
    /// Given and broken: `Some(None)`.
    client_certs: Option<Option<ClientCerts>>,
}

/// A route as far as it could be read.
pub(crate) struct ReadRoute {
    pub(crate) path: PathPattern,
    /// The path's place, or that of the site's `redirect`.
    pub(crate) span: Span,
    pub(crate) redirect: Option<ReadRedirect>,
    pub(crate) route: Option<Route>,
}

/// Where a route redirects to.
pub(crate) struct ReadRedirect {
    pub(crate) location: Location,
    pub(crate) keep_path: bool,
    pub(crate) span: Span,
}

impl ReadSite {
    /// Whether its certificates come by ACME.
    pub(crate) fn is_acme(&self) -> bool {
        matches!(self.tls, Some(Tls::Acme(_)))
    }

    /// The site, where nothing of it was broken.
    pub(crate) fn finish(self) -> Option<Site> {
        let aliases = self.hosts.into_iter().skip(1).map(|(host, _)| host);
        let routes = self.routes.into_iter().map(|route| route.route);
        Some(Site {
            name: self.name?,
            aliases: aliases.collect(),
            tls: self.tls?,
            client_certs: match self.client_certs {
                Some(clients) => Some(clients?),
                None => None,
            },
            routes: routes.collect::<Option<_>>()?,
            policy: self.policy,
        })
    }
}

pub(super) fn read(
    node: Option<Node<'_>>,
    server: Option<&Level>,
    context: &Context<'_>,
) -> Vec<ReadSite> {
    let Some(node) = node else {
        return Vec::new();
    };
    let entries = node.entries();
    if entries.is_empty() && node.value.is_table() {
        node.complain(
            Complaint::new(Code::NoSites, "there is no site in `site`")
                .help("add a table such as [site.\"example.com\"] with `tls` and `routes`"),
        );
    }
    let sites = entries.iter();
    sites.filter_map(|entry| read_site(entry, server, context)).collect()
}

fn read_site(
    entry: &NamedNode<'_>,
    server: Option<&Level>,
    context: &Context<'_>,
) -> Option<ReadSite> {
    let table = entry.node.table()?.labelled(format!("site `{}`", entry.name));
    // A name with a dot in it is in quotes already.
    if !entry.name.contains('.')
        && let Some(rest) = table.stray_table()
    {
        context.report.add(Some(&entry.span), unquoted(entry.name, rest));
        return None;
    }
    let name = parse_host(entry.name).map_err(|complaint| {
        context.report.add(Some(&entry.span), complaint);
    });
    let tls = table.given("tls").and_then(|node| tls::read(&node, context.certificate));
    let aliases = table.given("aliases").and_then(|node| {
        node.each(|item| Some((item.parse(Format::Host, parse_host)?, item.span()?)))
    });
    let client_certs = table.given("client_certs").map(|node| read_client_certs(&node));
    let level = policies::read(&table, context);
    let server = server.into_iter();
    let levels: Vec<&Level> = server.chain(std::iter::once(&level)).collect();
    let redirect = read_redirect(&table, &levels);
    let files = read_files(&table, &levels);
    let routes = routes::read(table.given("routes"), entry.name, &levels, context);
    table.finish();

    let name = name.ok();
    let own = name.clone().map(|name| (name, entry.span.clone()));
    Some(ReadSite {
        hosts: own.into_iter().chain(aliases.into_iter().flatten()).collect(),
        routes: redirect.into_iter().chain(files).chain(routes).collect(),
        name,
        tls,
        policy: merge(&levels),
        client_certs,
    })
}

fn read_client_certs(node: &Node<'_>) -> Option<ClientCerts> {
    let table = node.table()?.labelled("`client_certs`");
    let file = |node: &Node<'_>| node.path(Format::File);
    let ca = table.given("ca").and_then(|node| file(&node));
    let crls = table.read("crl", |node| node.each(file));
    let required = table.read("mode", |node| Some(node.text()? == "require"));
    let header =
        table.given("header").map(|node| node.parse(Format::HeaderName, parse_header_name));
    table.finish();
    let header = match header {
        Some(header) => Some(header?),
        None => None,
    };
    Some(ClientCerts { ca: ca?, crls: crls?, required: required?, header })
}

/// A site's `redirect` is one route for everything.
fn read_redirect(table: &Table<'_>, levels: &[&Level]) -> Option<ReadRoute> {
    let node = table.given("redirect")?;
    let span = node.span()?;
    let location = node.parse(Format::Url, |text| parse_url(text)?.with_path_appended())?;
    let path = PathPattern::Prefix(String::new());
    let action = Action::Redirect(Redirect {
        to: location.text.clone(),
        status: StatusCode::PERMANENT_REDIRECT,
        keep_path: true,
    });
    Some(ReadRoute {
        path: path.clone(),
        span: span.clone(),
        redirect: Some(ReadRedirect { location, keep_path: true, span }),
        route: Some(Route { path, action, policy: merge(levels) }),
    })
}

/// A site's `files` are one route for everything.
fn read_files(table: &Table<'_>, levels: &[&Level]) -> Option<ReadRoute> {
    let node = table.given("files")?;
    let span = node.span()?;
    let action = routes::files::read(&node);
    let path = PathPattern::Prefix(String::new());
    let route = action.map(|action| Route { path: path.clone(), action, policy: merge(levels) });
    Some(ReadRoute { path, span, redirect: None, route })
}

/// `[site.example.com]`: TOML takes the dots for tables in tables.
fn unquoted(name: &str, rest: &str) -> Complaint {
    Complaint::new(
        Code::UnquotedHost,
        format!("`{name}.{rest}` is taken for a table `{rest}` in site `{name}`"),
    )
    .help(format!("write the host in quotes: [site.\"{name}.{rest}\"]"))
}

fn parse_host(text: &str) -> Result<HostPattern, Complaint> {
    HostPattern::parse(text).map_err(|error| {
        let help = match error {
            _ if text.contains('/') => "write the host alone, without a scheme or a path",
            HostError::Character(':') => "write the host without its port; ports stand in `https` of [server]",
            _ => "write a host such as \"example.com\", \"*.example.com\" for one label in front of it, or \"*\" for every other host",
        };
        Complaint::new(Code::BadHost, format!("{} is not a host: {error}", quoted(text))).help(help)
    })
}

//! `routes` of a site.

use http::StatusCode;

use super::node::{Node, Shape};
use super::sites::{ReadRedirect, ReadRoute};
use super::table::Table;
use super::{Context, policies};
use crate::complaint::{Complaint, quoted};
use crate::level::{Level, merge};
use crate::model::{Action, PathPattern, Redirect, Respond, Route, Target};
use crate::path::PathError;
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{Location, parse_header_value, parse_location};

pub(super) mod files;
mod rewrite;

pub(super) fn read(
    node: Option<Node<'_>>,
    site: &str,
    levels: &[&Level],
    context: &Context<'_>,
) -> Vec<ReadRoute> {
    let Some(items) = node.and_then(|node| node.list()) else {
        return Vec::new();
    };
    let routes: Vec<ReadRoute> =
        items.iter().filter_map(|item| read_route(item.table()?, site, levels, context)).collect();
    report_duplicates(&routes, site, context);
    routes
}

fn read_route(
    table: Table<'_>,
    site: &str,
    levels: &[&Level],
    context: &Context<'_>,
) -> Option<ReadRoute> {
    let label = match table.peek_text("path") {
        Some(path) => format!("route `{path}` of site `{site}`"),
        None => format!("a route of site `{site}`"),
    };
    let table = table.labelled(label);
    let path = table
        .given("path")
        .and_then(|node| Some((node.parse(Format::Path, parse_pattern)?, node.span()?)));
    let rewrite = rewrite::read(&table, path.as_ref().map(|(pattern, _)| pattern));
    let to = table.given("to").map(|node| {
        let upstream = node.parse(Format::Target, |text| context.upstreams.resolve(text))??;
        Some(Action::Proxy(Target { upstream, rewrite: rewrite.clone()? }))
    });
    let respond = table.given("respond").map(|node| read_respond(&node));
    let redirect = table.given("redirect").map(|node| read_redirect(&node));
    let files = table.given("files").map(|node| files::read(&node));
    let level = policies::read(&table, context);
    table.finish();

    let (path, span) = path?;
    let (redirect, redirects_to) = match redirect {
        Some(Some((redirect, to))) => (Some(Some(Action::Redirect(redirect))), Some(to)),
        Some(None) => (Some(None), None),
        None => (None, None),
    };
    let action = to.or(respond).or(redirect).or(files).flatten();
    let levels: Vec<&Level> = levels.iter().copied().chain([&level]).collect();
    let route = action.map(|action| Route { path: path.clone(), action, policy: merge(&levels) });
    Some(ReadRoute { path, span, redirect: redirects_to, route })
}

fn parse_pattern(text: &str) -> Result<PathPattern, Complaint> {
    PathPattern::parse(text).map_err(|error| {
        let help = match error {
            PathError::Relative => format!("write \"/{text}\""),
            PathError::Star if text.ends_with('*') && text.starts_with('/') => {
                let path = text.trim_end_matches(['*', '/']);
                format!("write \"{path}/*\" for `{path}` and everything below it")
            }
            PathError::Query => "write the path alone; queries do not take part in routing".into(),
            PathError::Segments => {
                "write the path as clients see it, without `//`, `/./` and `/../`".into()
            }
            _ => {
                "write \"/x\" for exactly this path, or \"/x/*\" for everything below it too".into()
            }
        };
        Complaint::new(Code::BadPath, format!("{} is not a path pattern: {error}", quoted(text)))
            .help(help)
    })
}

fn read_respond(node: &Node<'_>) -> Option<Action> {
    let table = node.table()?;
    let status = table.read("status", read_status);
    let body = table.read("body", |node| node.text().map(str::to_owned));
    let content_type =
        table.read("content_type", |node| node.parse(Format::HeaderValue, parse_header_value));
    if let (
        Some(StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED),
        Some(body),
    ) = (status, &body)
        && !body.is_empty()
    {
        let message = "an answer with this status has no body";
        let complaint = Complaint::new(Code::MisplacedKey, message)
            .help("remove `body`, or choose another status");
        table.report.add(table.key_span("body").as_ref(), complaint);
    }
    table.finish();
    Some(Action::Respond(Respond { status: status?, body: body?, content_type: content_type? }))
}

fn read_status(node: Node<'_>) -> Option<StatusCode> {
    StatusCode::from_u16(u16::try_from(node.count()?).ok()?).ok()
}

fn read_redirect(node: &Node<'_>) -> Option<(Redirect, ReadRedirect)> {
    let (location, status, keep_path) = match node.shape()? {
        Shape::Text(_) => {
            let location = node.parse(Format::Location, parse_location)?;
            (location, StatusCode::PERMANENT_REDIRECT, false)
        }
        Shape::Table(table) => read_redirect_table(table)?,
        _ => return None,
    };
    let redirect = Redirect { to: location.text.clone(), status, keep_path };
    let span = node.span()?;
    Some((redirect, ReadRedirect { location, keep_path, span }))
}

fn read_redirect_table(table: Table<'_>) -> Option<(Location, StatusCode, bool)> {
    let status = table.read("status", read_status);
    let keep_path = table.read("keep_path", |node| node.bool());
    let to = table.read("to", |node| {
        node.parse(Format::Location, |text| match keep_path {
            Some(true) => parse_location(text)?.with_path_appended(),
            _ => parse_location(text),
        })
    });
    table.finish();
    Some((to?, status?, keep_path?))
}

fn report_duplicates(routes: &[ReadRoute], site: &str, context: &Context<'_>) {
    for (index, later) in routes.iter().enumerate() {
        let Some(first) = routes[..index].iter().find(|route| route.path == later.path) else {
            continue;
        };
        let message = format!("site `{site}` has two routes for `{}`", later.path);
        let complaint = Complaint::new(Code::DuplicateRoute, message)
            .help("keep one of them, or give them different paths")
            .related(&first.span, "the first");
        context.report.add(Some(&later.span), complaint);
    }
}

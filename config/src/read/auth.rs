//! `auth`.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use super::Context;
use super::node::{NamedNode, Node, Shape};
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{
    Auth, BasicAuth, ForwardAuth, JwsAlgorithm, JwtAuth, KeySource, OnError, Upstream,
};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{
    KeySet, parse_duration, parse_duration_or_zero, parse_header_name, parse_header_value,
    parse_key_set, parse_password_hash, parse_service_path, parse_user, parse_word,
};

/// What a level says: `Some(None)` is `"off"`.
pub(super) fn read(node: &Node<'_>, context: &Context<'_>) -> Option<Option<Arc<Auth>>> {
    match node.shape()? {
        Shape::Text(_off) => Some(None),
        Shape::Table(table) => read_table(table, context).map(Arc::new).map(Some),
        _ => None,
    }
}

fn read_table(table: Table<'_>, context: &Context<'_>) -> Option<Auth> {
    let table = table.labelled("`auth`");
    let basic = table.given("basic").map(|node| read_basic(&node).map(Auth::Basic));
    let forward =
        table.given("forward").map(|node| read_forward(&node, context).map(Auth::Forward));
    let jwt = table.given("jwt").map(|node| read_jwt(&node, context).map(Auth::Jwt));
    table.finish();
    basic.or(forward).or(jwt)?
}

fn read_basic(node: &Node<'_>) -> Option<BasicAuth> {
    let table = node.table()?.labelled("`basic`");
    let users = table.given("users").map(|node| read_users(&node));
    let file = table.given("file");
    let file = file.map(|node| node.path(Format::File));
    let realm = table.read("realm", |node| node.parse(Format::HeaderValue, parse_header_value));
    let user_header = table.given("user_header").map(|node| header_name(&node));
    if users.is_none() && file.is_none() {
        let complaint = Complaint::new(Code::MissingKey, "`basic` has no users");
        let help = "name them in `users`, with hashes that `gateway hash-password` makes, or name a `file` of them";
        table.complain(complaint.help(help));
    }
    table.finish();
    if users.is_none() && file.is_none() {
        return None;
    }
    Some(BasicAuth {
        users: users.unwrap_or_default(),
        file: given(file)?,
        realm: String::from_utf8_lossy(realm?.as_bytes()).into_owned(),
        user_header: given(user_header)?,
    })
}

fn read_users(node: &Node<'_>) -> BTreeMap<String, crate::model::PasswordHash> {
    // Whatever else stands here may be a password, and is no part of any message.
    if !node.value.is_table() {
        let message = "`users` is no table of names and hashes of passwords";
        let complaint = Complaint::new(Code::WrongType, message);
        node.complain(complaint.help(
            "write users = { alice = \"…\" } with the hash that `gateway hash-password` prints",
        ));
        return BTreeMap::new();
    }
    let entries = node.entries();
    if entries.is_empty() {
        let complaint = Complaint::new(Code::EmptyList, "`users` names nobody");
        node.complain(complaint.help("name at least one, or remove `users`"));
    }
    let read = |entry: &NamedNode<'_>| {
        let user = named(entry, parse_user);
        let hash = match entry.node.value.as_str() {
            Some(_) => entry.node.parse(Format::PasswordHash, parse_password_hash),
            None => {
                parse_password_hash("").map_err(|complaint| entry.node.complain(complaint)).ok()
            }
        };
        Some((user?, hash?))
    };
    entries.iter().filter_map(read).collect()
}

fn read_forward(node: &Node<'_>, context: &Context<'_>) -> Option<ForwardAuth> {
    let table = node.table()?.labelled("`forward`");
    let upstream = table.given("to").and_then(|node| {
        node.parse(Format::Target, |text| context.upstreams.resolve(text)).flatten()
    });
    let path = table.read("path", |node| node.parse(Format::ServicePath, parse_service_path));
    let copy_headers = table.read("copy_headers", |node| node.each(header_name));
    let timeout = table.read("timeout", |node| node.parse(Format::Duration, parse_duration));
    let on_error = read_on_error(&table);
    table.finish();
    Some(ForwardAuth {
        upstream: upstream?,
        path: path?,
        copy_headers: copy_headers?,
        timeout: timeout?,
        on_error: on_error?,
    })
}

fn read_jwt(node: &Node<'_>, context: &Context<'_>) -> Option<JwtAuth> {
    let table = node.table()?.labelled("`jwt`");
    let keys = table.given("jwks").and_then(|node| read_keys(&node, context));
    let text = |node: &Node<'_>| node.text().map(str::to_owned);
    let issuer = table.given("issuer").and_then(|node| text(&node));
    let audience = table.given("audience").and_then(|node| match node.shape()? {
        Shape::Text(one) => Some(vec![one.to_owned()]),
        Shape::List(items) => Some(items.iter().filter_map(text).collect()),
        _ => None,
    });
    let algorithms = table.read("algorithms", |node| node.each(read_algorithm));
    let cookie = table.given("cookie").map(|node| node.parse(Format::Word, parse_word));
    let claims = table.given("claims").map(|node| read_claims(&node)).unwrap_or_default();
    let copied = table.given("copy_claims").map(|node| read_copies(&node)).unwrap_or_default();
    let leeway =
        table.read("leeway", |node| node.parse(Format::DurationOrZero, parse_duration_or_zero));
    let on_error = read_on_error(&table);
    table.finish();
    Some(JwtAuth {
        keys: keys?,
        issuer: issuer?,
        audience: audience?,
        algorithms: algorithms?,
        cookie: given(cookie)?,
        claims,
        copy_claims: copied,
        leeway: leeway?,
        on_error: on_error?,
    })
}

fn read_algorithm(node: &Node<'_>) -> Option<JwsAlgorithm> {
    let written = node.text()?;
    JwsAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == written)
}

fn read_keys(node: &Node<'_>, context: &Context<'_>) -> Option<KeySource> {
    let (server, authority, path) = match node.parse(Format::KeySet, parse_key_set)? {
        KeySet::File(name) => return Some(KeySource::File(node.base().join(name))),
        KeySet::Url { server, authority, path } => (server, authority, path),
    };
    let found = context.upstreams.resolve(&server);
    let upstream: Option<Arc<Upstream>> =
        found.map_err(|complaint| node.complain(complaint)).ok().flatten();
    Some(KeySource::Url { upstream: upstream?, authority, path })
}

fn read_claims(node: &Node<'_>) -> BTreeMap<String, String> {
    let read = |entry: &NamedNode<'_>| Some((entry.name.to_owned(), entry.node.text()?.to_owned()));
    node.entries().iter().filter_map(read).collect()
}

fn read_copies(node: &Node<'_>) -> Vec<(HeaderName, String)> {
    let read = |entry: &NamedNode<'_>| {
        let name = named(entry, parse_header_name);
        let claim = entry.node.parse(Format::HeaderValue, parse_header_value);
        Some((name?, String::from_utf8_lossy(claim?.as_bytes()).into_owned()))
    };
    node.entries().iter().filter_map(read).collect()
}

fn read_on_error(table: &Table<'_>) -> Option<OnError> {
    table.read("on_error", |node| match node.text()? {
        "deny" => Some(OnError::Deny),
        "allow" => Some(OnError::Allow),
        _ => None,
    })
}

fn header_name(node: &Node<'_>) -> Option<HeaderName> {
    node.parse(Format::HeaderName, parse_header_name)
}

/// A name that the file chose; a complaint about it gets its place.
fn named<T>(entry: &NamedNode<'_>, parse: impl Fn(&str) -> Result<T, Complaint>) -> Option<T> {
    parse(entry.name).map_err(|complaint| entry.node.report.add(Some(&entry.span), complaint)).ok()
}

/// A key that may be missing, but not broken.
fn given<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

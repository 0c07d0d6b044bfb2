//! `cors`.

use super::node::{Node, Shape};
use super::table::Table;
use crate::complaint::Complaint;
use crate::model::{Cors, CorsOrigins};
use crate::problem::Code;
use crate::spec::Format;
use crate::text::{parse_cors_header, parse_duration, parse_method, parse_origin};

/// `Some(None)` takes away what outer levels say.
pub(super) fn read(node: &Node<'_>) -> Option<Option<Cors>> {
    match node.shape()? {
        Shape::Bool(false) => Some(None),
        Shape::Bool(true) => {
            let message = "`cors = true` does not say which origins may read the answers";
            node.complain(
                Complaint::new(Code::MissingKey, message)
                    .help("name them: cors = { origins = [\"https://app.example.com\"] }"),
            );
            None
        }
        Shape::Table(table) => read_table(table).map(Some),
        _ => None,
    }
}

fn read_table(table: Table<'_>) -> Option<Cors> {
    let origins = table.given("origins").and_then(|node| read_origins(&node));
    let credentials = table.read("credentials", |node| node.bool());
    let methods =
        table.read("methods", |node| node.each(|item| item.parse(Format::Method, parse_method)));
    let names =
        |node: Node<'_>| node.each(|item| item.parse(Format::CorsHeader, parse_cors_header));
    let headers = table.given("headers").map(names);
    let expose = table.read("expose", names);
    let max_age = table.given("max_age").map(|node| node.parse(Format::Duration, parse_duration));
    if let (Some(CorsOrigins::Any), Some(true)) = (&origins, credentials) {
        let message = "`credentials = true` would let every origin act as the user";
        let complaint = Complaint::new(Code::ConflictingKeys, message)
            .help("name the origins instead of \"*\", or remove `credentials`; browsers refuse the two together");
        table.report.add(table.key_span("credentials").as_ref(), complaint);
    }
    table.finish();
    Some(Cors {
        origins: origins?,
        credentials: credentials?,
        methods: methods?,
        headers: headers.map_or(Some(None), |read| read.map(Some))?,
        expose: expose?,
        max_age: max_age.map_or(Some(None), |read| read.map(Some))?,
    })
}

fn read_origins(node: &Node<'_>) -> Option<CorsOrigins> {
    let items = node.list()?;
    let is_star = |item: &&Node<'_>| item.value.as_str() == Some("*");
    if let Some(star) = items.iter().find(is_star) {
        if items.len() > 1 {
            let message = "\"*\" is every origin, whatever stands beside it";
            star.complain(
                Complaint::new(Code::ConflictingKeys, message)
                    .help("remove \"*\", or everything else"),
            );
        }
        return Some(CorsOrigins::Any);
    }
    let origins = items.iter().filter_map(|item| item.parse(Format::Origin, parse_origin));
    Some(CorsOrigins::Listed(origins.collect()))
}

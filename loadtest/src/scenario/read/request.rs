//! `[[request]]` and `[websocket]`.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use rustls_pki_types::ServerName;

use super::table::Table;
use super::value::Value;
use super::{Context, body, expect};
use crate::scenario::path::Path;
use crate::scenario::problem::{Complaint, Span};
use crate::scenario::suggest::nearest;
use crate::scenario::{Protocol, Request, Tls};

/// What only this program can know, because it frames the messages.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "transfer-encoding", "upgrade", "te", "keep-alive"];

/// Every `[[request]]`; never empty where nothing was reported.
pub(super) fn read(root: &Table<'_>, context: &Context<'_>, tls: Option<&Tls>) -> Vec<Request> {
    let authority = authority(context, tls);
    let mut requests = match root.get("request") {
        Some(value) => {
            value.each(|value| read_request(value, context, &authority)).unwrap_or_default()
        }
        None => vec![front_page(&authority)],
    };
    let message = root.get("websocket").and_then(|value| {
        let table = value.table("[websocket]")?;
        let message = body::read_message(&table);
        table.finish();
        Some(message)
    });
    if context.protocol == Protocol::WebSocket {
        check_websocket(root, &requests);
        let message = message.unwrap_or_else(|| vec![b'x'; 128].into());
        requests.iter_mut().for_each(|request| request.body = message.clone());
    } else {
        let help = "write protocol = \"ws\", or remove [websocket]";
        root.refuse("websocket", "[websocket] is for protocol = \"ws\"", help);
    }
    requests
}

/// What a request without a `host` header is for.
fn authority(context: &Context<'_>, tls: Option<&Tls>) -> String {
    match tls.map(|tls| &tls.server_name) {
        Some(ServerName::DnsName(name)) => context.target.authority(name.as_ref()),
        _ => context.target.authority(&context.target.host.to_string()),
    }
}

/// A scenario without requests asks for `/`.
fn front_page(authority: &str) -> Request {
    let path = Path { pieces: vec![crate::scenario::Piece::Text("/".into())], text: "/".into() };
    Request {
        name: "GET /".into(),
        weight: 1,
        method: Method::GET,
        path,
        authority: authority.to_owned(),
        headers: Vec::new(),
        body: Arc::default(),
        expect: expect::nothing_special(),
    }
}

fn read_request(value: &Value<'_>, context: &Context<'_>, authority: &str) -> Option<Request> {
    let table = value.table("a [[request]]")?;
    let method = table.read("method", Method::GET, read_method);
    let path = table.read("path", Path::read("/").ok()?, |value| value.parse(Path::read));
    let default = format!("{method} {}", path.text);
    let name = table.read("name", default, |value| value.text().map(str::to_owned));
    let mut headers = table.read("headers", Vec::new(), read_headers);
    let host = headers.iter().position(|(name, _)| name == http::header::HOST);
    let host = host.map(|index| headers.remove(index).1);
    let host = host.and_then(|host| host.to_str().ok().map(str::to_owned));
    let request = Request {
        name,
        weight: table.read("weight", 1, |value| value.count(1..=1_000_000)),
        method,
        path,
        authority: host.unwrap_or_else(|| authority.to_owned()),
        headers,
        body: body::read(&table, context),
        expect: table.read("expect", expect::nothing_special(), expect::read),
    };
    table.finish();
    Some(request)
}

fn read_method(value: &Value<'_>) -> Option<Method> {
    let text = value.text()?;
    let method =
        Method::from_bytes(text.as_bytes()).ok().filter(|method| method != Method::CONNECT);
    let is_upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    if method.is_none() || !is_upper {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let help = match nearest(text, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write it in capital letters: \"GET\", \"POST\"".into(),
        };
        value.complain(format!("\"{text}\" is not a method that can be sent"), help);
    }
    method
}

fn read_headers(value: &Value<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut headers = Vec::new();
    for (written, span, text) in value.entries()? {
        let Ok(name) = HeaderName::try_from(written) else {
            not_a_header(value, &span, written);
            continue;
        };
        if FRAMING.contains(&name.as_str()) {
            let message = format!(
                "`{written}` is written by loadtest itself, as the body and the protocol need it"
            );
            let complaint = Complaint::new(message, format!("remove `{written}`"));
            value.report.add(Some(&span), complaint);
        }
        match HeaderValue::try_from(text.text()?) {
            Ok(value) => headers.push((name, value)),
            Err(_) => text.complain(
                "a header's value has no line ends and control characters",
                "remove them",
            ),
        }
    }
    Some(headers)
}

pub(super) fn not_a_header(value: &Value<'_>, span: &Span, written: &str) {
    let complaint = Complaint::new(
        format!("\"{written}\" is not a header's name"),
        "write letters, digits and hyphens: \"content-type\"",
    );
    value.report.add(Some(span), complaint);
}

fn check_websocket(root: &Table<'_>, requests: &[Request]) {
    let plain = |request: &Request| request.method == Method::GET && request.body.is_empty();
    if requests.len() > 1 || !requests.iter().all(plain) {
        root.refuse(
            "request",
            "a WebSocket begins with one GET request without a body",
            "keep one [[request]] with a path; what is sent is `message` of [websocket]",
        );
    }
}

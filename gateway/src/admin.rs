//! The admin listener: whether the process lives, whether it is ready and what is missing, its
//! metrics; and where a reload is asked for.

use gateway_config::model::ListenAddr;
use http::{Method, StatusCode};

use crate::connection::Connection;
use crate::downstream::Downstream;
use crate::fault::Fault;
use crate::h1::has_token;
use crate::head::{Known, RequestHead};
use crate::plain;
use crate::reply::Answer;

/// Where a reload is asked for, with POST.
pub(crate) const RELOAD: &str = "/reload";

const JSON: &[u8] = b"application/json";

const METRICS: &[u8] = b"text/plain; version=0.0.4; charset=utf-8";

/// Serves one request. Gives it back when it was answered.
pub(crate) async fn serve<D: Downstream>(
    mut request: D,
    asked: &RequestHead,
    flaw: Option<Fault>,
    connection: &Connection,
) -> Option<D> {
    let answer = if let Some(flaw) = flaw {
        request.close_after();
        Answer::text(flaw.status().unwrap_or(StatusCode::BAD_REQUEST), format!("{flaw}\n"))
    } else if asked.path() == RELOAD {
        reload(asked, connection).await
    } else if matches!(asked.method, Method::GET | Method::HEAD) {
        answer(asked.path(), connection)
    } else {
        Answer::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood here.\n")
    };
    let answer = answer.with(Known::CacheControl, b"no-store");
    plain::answer_unlogged(request, &asked.method, answer).await
}

fn answer(path: &str, connection: &Connection) -> Answer {
    match path {
        "/livez" => Answer::text(StatusCode::OK, "ok\n"),
        "/readyz" => ready(connection),
        "/metrics" => metrics(connection),
        "/" => Answer::text(StatusCode::OK, "/livez\n/readyz\n/metrics\n"),
        _ => Answer::text(StatusCode::NOT_FOUND, "Here are /livez, /readyz and /metrics.\n"),
    }
}

/// Reads the configuration again, for whoever may run programs on this machine.
///
/// Others can reach the listener too where it is told to listen further than loopback, and a web page
/// can make a browser on this machine send a POST; so the peer must be this machine, and a browser, which
/// says where a POST comes from (Fetch standard, `Origin`), is refused whatever it says.
async fn reload(asked: &RequestHead, connection: &Connection) -> Answer {
    let fields = &asked.fields;
    if asked.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "A reload is asked for with POST.\n");
    }
    if !is_this_machine(connection) {
        let text = "A reload is asked for from the machine, or in the container, that the gateway runs on.\n";
        return Answer::text(StatusCode::FORBIDDEN, text);
    }
    if fields.has(Known::Origin) || fields.has_named(b"sec-fetch-site") {
        return Answer::text(StatusCode::FORBIDDEN, "A web page cannot ask for a reload.\n");
    }
    let wants_json = fields.named(b"accept").any(|accept| has_token(std::iter::once(accept), JSON));
    match connection.worker.shared.reloads.ask().await {
        Ok(outcome) if wants_json => {
            let text = format!("{}\n", outcome.to_json());
            Answer::text(outcome.status(), text).replacing(Known::ContentType, JSON)
        }
        Ok(outcome) => Answer::text(outcome.status(), outcome.to_string()),
        Err(_stopped) => {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "The gateway is stopping.\n")
        }
    }
}

/// Whether the peer is loopback, or has the very address that is listened on: a connection to an address
/// of one's own comes from it, and nobody else can end a TCP handshake in its name.
fn is_this_machine(connection: &Connection) -> bool {
    let peer = connection.peer.ip().to_canonical();
    let listens = |ListenAddr(address)| peer == address.ip().to_canonical();
    peer.is_loopback() || connection.snapshot.server.admin.is_some_and(listens)
}

fn ready(connection: &Connection) -> Answer {
    let missing = connection.worker.shared.missing();
    if missing.is_empty() {
        let lines = std::iter::once("ready".to_owned());
        let lines: Vec<_> = lines.chain(connection.worker.shared.lacking()).collect();
        return Answer::text(StatusCode::OK, lines.join("\n") + "\n");
    }
    Answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{}\n", missing.join("\n")))
}

fn metrics(connection: &Connection) -> Answer {
    let shared = &connection.worker.shared;
    match shared.metrics.text(shared.missing().is_empty()) {
        Ok(text) => Answer::text(StatusCode::OK, text).replacing(Known::ContentType, METRICS),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

//! The validation of a challenge: http-01 (RFC 8555, section 8.3) for real.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Shared;
use super::answer::Problem;
use super::settings::Validation;
use super::state::{Identifier, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const LIMIT: usize = 4096;

/// Validates, and changes challenge and authorization. `failure` is what the test wants.
pub(super) async fn run(
    shared: Arc<Shared>,
    authorization: usize,
    challenge: usize,
    expected: String,
    failure: Option<Problem>,
) {
    let outcome = match failure {
        Some(problem) => Err(problem),
        None => validate(&shared, authorization, challenge, &expected).await,
    };
    let mut state = shared.state.lock().unwrap();
    // The authority may have been made to forget it meanwhile.
    let Some(authorization) = state.authorizations.get_mut(authorization) else { return };
    let status = if outcome.is_ok() { Status::Valid } else { Status::Invalid };
    authorization.status = status;
    authorization.challenges[challenge].status = status;
    authorization.challenges[challenge].error = outcome.err();
}

async fn validate(
    shared: &Shared,
    authorization: usize,
    challenge: usize,
    expected: &str,
) -> Result<(), Problem> {
    let Validation::Http(addr) = shared.settings.lock().unwrap().validation else { return Ok(()) };
    let (host, kind, token) = {
        let state = shared.state.lock().unwrap();
        let authorization = &state.authorizations[authorization];
        let host = match &authorization.identifier {
            Identifier::Dns(name) => name.clone(),
            Identifier::Ip(address) => address.to_string(),
        };
        let challenge = &authorization.challenges[challenge];
        (host, challenge.kind, challenge.token.clone())
    };
    if kind != "http-01" {
        return Err(Problem::unauthorized(format!("{kind} is not validated here")));
    }
    let path = format!("/.well-known/acme-challenge/{token}");
    let fetched = tokio::time::timeout(PATIENCE, fetch(addr, &host, &path)).await;
    match fetched {
        Ok(Ok((StatusCode::OK, body))) if body.trim_ascii_end() == expected.as_bytes() => Ok(()),
        Ok(Ok((status, body))) => {
            let body = String::from_utf8_lossy(&body).into_owned();
            let detail = format!("http://{host}{path} answered {status}: {body:?}");
            Err(Problem::unauthorized(detail))
        }
        Ok(Err(error)) => {
            Err(Problem::new(400, "connection", format!("http://{host}{path}: {error}")))
        }
        Err(_) => Err(Problem::new(400, "connection", format!("http://{host}{path}: timeout"))),
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn fetch(addr: SocketAddr, host: &str, path: &str) -> Result<(StatusCode, Bytes), Failure> {
    let stream = TcpStream::connect(addr).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header(HOST, host).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LIMIT).collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}

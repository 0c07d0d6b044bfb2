//! Active health checks: every address of every server is asked again and again, by one task each on
//! the thread that oversees.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use gateway_config::model::{Health, HealthCheck, Protocol};
use http::{Method, StatusCode};

use super::connect::{self, Introduction};
use super::http1::Http1;
use super::members::Member;
use super::session::AnswerError;
use super::{Upstream, http2};
use crate::descriptors;
use crate::head::ResponseHead;
use crate::stream::GatheringStream;

/// One address that is checked for as long as its upstream has it.
pub(super) struct Checked {
    pub(super) upstream: Weak<Upstream>,
    pub(super) member: Arc<Member>,
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("no answer: {0}")]
    Answer(AnswerError),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it took longer than {0:?}")]
    Late(Duration),
}

impl Failed {
    /// Whether the server was not asked, for want of a descriptor here.
    fn is_ours(&self) -> bool {
        matches!(self, Self::Connect(error) if descriptors::are_spent(error))
    }
}

impl Checked {
    pub(super) async fn keep_checked(self) {
        loop {
            let Some(upstream) = self.upstream.upgrade() else { return };
            let Some(health) = &upstream.config.health else { return };
            if !upstream.has(&self.member) {
                return;
            }
            let checked = tokio::time::timeout(health.timeout, self.check(&upstream, health)).await;
            let outcome = checked.unwrap_or(Err(Failed::Late(health.timeout)));
            // What this process lacks says nothing about the server.
            if !outcome.as_ref().is_err_and(Failed::is_ours) {
                upstream.checked(&self.member, outcome.map_err(|failed| failed.to_string()));
            }
            // So that several gateways, and the addresses of one, do not ask all at once.
            let pause = health.every.mul_f64(0.9 + 0.2 * fastrand::f64());
            drop(upstream);
            tokio::time::sleep(pause).await;
        }
    }

    async fn check(&self, upstream: &Upstream, health: &Health) -> Result<(), Failed> {
        let member = &self.member;
        let tls = upstream.tls.as_ref().zip(member.tls_name.as_ref());
        // Whoever wants to be told a client's address is told this machine's.
        let version = upstream.config.proxy_protocol;
        let introduce =
            version.map(|version| Introduction { version, client: Ipv4Addr::LOCALHOST.into() });
        let connecting = connect::connect(&member.peer, tls, introduce);
        let stream = connecting.await.map_err(Failed::Connect)?;
        let HealthCheck::Http { path, host, status } = &health.check else { return Ok(()) };
        let label = upstream.servers.get(member.server).map_or("", |server| &server.label);
        let host = host.as_ref().map_or_else(|| host_of(label), |host| host.to_string());
        let said = match upstream.config.protocol {
            Protocol::Http | Protocol::Https => ask(stream, path, &host).await,
            Protocol::H2c => http2::ask(stream, path, &host).await,
        };
        let said = said.map_err(Failed::Answer)?;
        let good = if status.is_empty() { said.is_success() } else { status.contains(&said) };
        if good { Ok(()) } else { Err(Failed::Status(said)) }
    }
}

/// A server as `Host` names it. A unix socket has no name of its own.
fn host_of(label: &str) -> String {
    if label.starts_with("unix:") { "localhost".into() } else { label.into() }
}

async fn ask(stream: GatheringStream, path: &str, host: &str) -> Result<StatusCode, AnswerError> {
    let mut session = Http1::new(Box::new(stream));
    let mut request = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        request,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: gateway-health\r\naccept: */*\r\nconnection: close\r\n\r\n"
    );
    session.begin_with(request.as_bytes());
    let mut head = ResponseHead::default();
    loop {
        poll_fn(|cx| session.poll_head(cx, &Method::GET, &mut head)).await?;
        if !head.status.is_informational() {
            return Ok(head.status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_server_that_could_not_be_asked_has_not_failed() {
        for (code, is_ours) in [(24, true), (23, true), (111, false)] {
            let failed = Failed::Connect(io::Error::from_raw_os_error(code));
            assert_eq!(failed.is_ours(), is_ours, "{failed}");
        }
        assert!(!Failed::Late(Duration::from_secs(1)).is_ours());
    }
}

//! Clients that mean harm, or do not know better: a 4xx or a closed connection, no request that the
//! origin should not see, and a process that lives.

mod framing;
mod heads;
mod http2;
mod targets;

use hyper::StatusCode;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, echo};
use crate::harness::raw_client::{Head, Raw, TlsRaw};
use crate::harness::{answering_site, config, one_site};

/// A gateway in front of an origin that remembers what reached it.
struct Door {
    gateway: Gateway,
    origin: Origin,
}

impl Door {
    async fn start() -> Self {
        Self::start_with("").await
    }

    async fn start_with(server: &str) -> Self {
        let origin = Origin::http(echo).await;
        let sites = [one_site(origin.addr(), ""), answering_site("other.test")].join("\n");
        let gateway = Gateway::start(&config(server, &sites)).await;
        Self { gateway, origin }
    }

    /// Sends bytes on a fresh HTTP/1.1 connection; the first answer's head, or `None` where it was
    /// closed without one.
    async fn answer_to(&self, bytes: impl AsRef<[u8]>) -> (Option<Head>, TlsRaw) {
        let mut raw = Raw::tls(&self.gateway, "app.test").await;
        raw.write(bytes).await;
        let head = raw.head().await;
        (head, raw)
    }

    /// The request must be answered with one of these, or by closing.
    async fn refuses(&self, what: &str, bytes: impl AsRef<[u8]>, statuses: &[u16]) {
        let (head, _) = self.answer_to(bytes).await;
        if let Some(head) = head {
            assert!(
                statuses.contains(&head.status),
                "{what} was answered with {}, expected one of {statuses:?}:\n{head:?}",
                head.status
            );
        }
    }

    /// [`Door::refuses`], and the connection must end: nobody knows where the next request begins.
    async fn refuses_and_closes(&self, what: &str, bytes: impl AsRef<[u8]>, statuses: &[u16]) {
        let (head, mut raw) = self.answer_to(bytes).await;
        if let Some(head) = head {
            assert!(
                statuses.contains(&head.status),
                "{what} was answered with {}, expected one of {statuses:?}:\n{head:?}",
                head.status
            );
            let rest = raw.rest_after((what, head)).await;
            let rest = String::from_utf8_lossy(&rest).into_owned();
            assert!(!rest.contains("HTTP/1.1 "), "{what} got a second answer:\n{rest}");
        }
    }

    /// Nothing reached the origin, and the gateway serves as before.
    async fn unharmed(self) {
        assert_eq!(self.origin.seen(), Vec::<String>::new(), "this reached the origin");
        self.alive().await;
    }

    async fn alive(&self) {
        assert!(self.gateway.is_running(), "the gateway has ended");
        for mut http in Http::both(&self.gateway, "app.test").await {
            assert_eq!(http.get("/alive").await.status, StatusCode::OK);
        }
    }
}

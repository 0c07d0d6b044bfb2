//! Clients that mean harm, or do not know better: a 4xx or a closed connection, no request that the
//! origin should not see, and a process that lives.

mod framing;
mod heads;
mod http2;
mod oversize;
mod targets;

use std::sync::Mutex;

use hyper::StatusCode;
use tokio::time::timeout;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, echo};
use crate::harness::raw_client::{Head, Raw, TlsRaw};
use crate::harness::{DEADLINE, answering_site, config, one_site};

/// A gateway in front of an origin that remembers what reached it. What it does wrong is collected,
/// so that one test of many malformed requests shows all that got through.
struct Door {
    gateway: Gateway,
    origin: Origin,
    wrong: Mutex<Vec<String>>,
}

impl Door {
    async fn start() -> Self {
        Self::start_with("").await
    }

    async fn start_with(server: &str) -> Self {
        let origin = Origin::http(echo).await;
        let sites = [one_site(origin.addr(), ""), answering_site("other.test")].join("\n");
        let gateway = Gateway::start(&config(server, &sites)).await;
        Self { gateway, origin, wrong: Mutex::default() }
    }

    /// Sends bytes on a fresh HTTP/1.1 connection; the first answer's head, or `None` where it was
    /// closed without one.
    async fn answer_to(&self, bytes: impl AsRef<[u8]>) -> (Option<Head>, TlsRaw) {
        let mut raw = Raw::tls(&self.gateway, "app.test").await;
        raw.write(bytes).await;
        let head = raw.head().await;
        (head, raw)
    }

    fn complain(&self, complaint: String) {
        self.wrong.lock().unwrap().push(complaint);
    }

    /// The request must be answered with one of these, or by closing.
    async fn refuses(&self, what: &str, bytes: impl AsRef<[u8]>, statuses: &[u16]) {
        let (head, _) = self.answer_to(bytes).await;
        self.is_refusal(what, head.as_ref(), statuses);
    }

    /// [`Door::refuses`], and the connection must end: nobody knows where the next request begins.
    async fn refuses_and_closes(&self, what: &str, bytes: impl AsRef<[u8]>, statuses: &[u16]) {
        let before = self.smuggled();
        let (head, mut raw) = self.answer_to(bytes).await;
        let is_refusal = self.is_refusal(what, head.as_ref(), statuses);
        let rest = timeout(DEADLINE / 4, raw.rest()).await;
        if !is_refusal {
            // It was taken for a whole request; then what stands behind it is one too.
            return;
        }
        match rest {
            Err(_) => self.complain(format!("the connection stayed open after {what:?}")),
            Ok(rest) => {
                let rest = String::from_utf8_lossy(&rest);
                if rest.contains("HTTP/1.1 ") {
                    self.complain(format!("{what:?} got a second answer: {rest:?}"));
                }
            }
        }
        if self.smuggled() > before {
            self.complain(format!("what stood behind {what:?} reached the origin as a request"));
        }
    }

    fn is_refusal(&self, what: &str, head: Option<&Head>, statuses: &[u16]) -> bool {
        match head {
            Some(head) if !statuses.contains(&head.status) => {
                let status = head.status;
                self.complain(format!("{what:?} was answered with {status}, not {statuses:?}"));
                false
            }
            _ => true,
        }
    }

    /// How many requests reached the origin that stood in others' bodies.
    fn smuggled(&self) -> usize {
        self.origin.seen().iter().filter(|seen| seen.contains("smuggled")).count()
    }

    /// Nothing reached the origin, nothing was wrong, and the gateway serves as before.
    async fn unharmed(self) {
        let seen = self.origin.seen();
        self.alive().await;
        assert_eq!(seen, Vec::<String>::new(), "this reached the origin");
    }

    async fn alive(&self) {
        let wrong = self.wrong.lock().unwrap().clone();
        assert!(wrong.is_empty(), "requests that were not refused as they should be: {wrong:#?}");
        assert!(self.gateway.is_running(), "the gateway has ended");
        for mut http in Http::both(&self.gateway, "app.test").await {
            assert_eq!(http.get("/alive").await.status, StatusCode::OK);
        }
    }
}

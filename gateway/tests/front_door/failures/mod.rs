//! What goes wrong behind the gateway, and before it starts: the right status, the right sentence,
//! and nobody else affected.

mod answers;
mod descriptors;
mod dns;
mod reaching;
mod starting;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::StatusCode;
use tokio::task::JoinHandle;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::{config, within};

/// A gateway with a route to something broken, `/broken`, and one to a healthy origin, which is
/// asked all the time.
struct Beside {
    gateway: Gateway,
    _origin: Origin,
    stop: Arc<AtomicBool>,
    asking: JoinHandle<usize>,
}

impl Beside {
    async fn start(broken: impl Display) -> Self {
        Self::start_with(broken, "", "").await
    }

    async fn start_with(broken: impl Display, server: &str, more: &str) -> Self {
        let origin = Origin::text("healthy").await;
        let toml = format!(
            "{more}\n\n[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
             {{ path = \"/broken/*\", to = \"{broken}\" }},\n\
             {{ path = \"/*\", to = \"{}\" }},\n]\n",
            origin.addr()
        );
        let gateway = Gateway::start(&config(server, &toml)).await;
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let mut http = Http::http2(&gateway, "app.test").await;
        let asking = tokio::spawn(async move {
            let mut answers = 0;
            while answers == 0 || !stopped.load(Ordering::SeqCst) {
                let reply = http.get("/").await;
                assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "healthy"));
                answers += 1;
            }
            answers
        });
        Self { gateway, _origin: origin, stop, asking }
    }

    async fn both(&self) -> [Http; 2] {
        Http::both(&self.gateway, "app.test").await
    }

    /// Ends the asking: every answer was right, and none of the connections broke.
    async fn was_unaffected(self) {
        self.stop.store(true, Ordering::SeqCst);
        let asked = within("the healthy route's last answer", self.asking).await;
        if let Err(error) = asked {
            panic!("the healthy route was affected: {error}");
        }
        let mut http = Http::http1(&self.gateway, "app.test").await;
        assert_eq!(http.get("/").await.text(), "healthy", "a new connection");
    }
}

//! Reloads while everybody is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use futures_util::StreamExt;
use hyper::StatusCode;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::reloaded;
use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, post};
use crate::harness::origin::Origin;
use crate::harness::replies::full;
use crate::harness::ws_client::WebSocket;
use crate::harness::{config, eventually};

const RELOADS: usize = 50;

/// An origin that echoes WebSocket messages.
async fn websocket_origin() -> Origin {
    Origin::raw(|stream, _| async move {
        let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
        let (sink, source) = socket.split();
        drop(source.forward(sink).await);
    })
    .await
}

/// The configuration of one generation: its answers say which it is, and something else about it
/// changes each time.
fn generation(number: usize, origin: &Origin, sockets: &Origin) -> String {
    let site = format!(
        "[limit.much]\nrate = \"100000/s\"\nburst = {}\n\n\
         [site.\"app.test\"]\ntls = \"self-signed\"\nlimit = \"much\"\n\
         headers = {{ set = {{ X-Generation = \"{number}\" }} }}\n\
         routes = [ {{ path = \"/ws\", to = \"{}\" }}, {{ path = \"/*\", to = \"{}\" }} ]\n",
        100_000 + number % 3,
        sockets.addr(),
        origin.addr()
    );
    let other = match number % 2 {
        0 => "[site.\"other.test\"]\ntls = \"self-signed\"\nredirect = \"https://app.test\"\n",
        _ => "",
    };
    config(&format!("workers = 2\nkeepalive = \"{}s\"", 60 + number % 7), &(site + other))
}

/// Clients that ask without a pause until they are told to stop, and what they have counted.
struct Load {
    stop: Arc<AtomicBool>,
    counts: Vec<Arc<AtomicUsize>>,
    clients: Vec<JoinHandle<Http>>,
}

impl Load {
    async fn start(gateway: &Gateway) -> Self {
        let mut load = Self { stop: Arc::default(), counts: Vec::new(), clients: Vec::new() };
        for _ in 0..2 {
            load.client(Http::http1(gateway, "app.test").await);
            let http2 = Http::http2(gateway, "app.test").await;
            for _ in 0..4 {
                load.client(http2.beside());
            }
            load.client(http2);
        }
        load
    }

    fn client(&mut self, mut http: Http) {
        let (stop, count) = (self.stop.clone(), Arc::<AtomicUsize>::default());
        self.counts.push(count.clone());
        self.clients.push(tokio::spawn(async move {
            while !stop.load(SeqCst) {
                // Whatever goes wrong panics here, and fails the test where it is waited for.
                let reply = http.get("/").await;
                assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "ok"));
                let reply = http.request(post("/", full("a body"))).await;
                assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "ok"));
                count.fetch_add(1, SeqCst);
            }
            http
        }));
    }

    /// Waits until every client has been served again.
    async fn goes_on(&self) {
        let before: Vec<_> = self.counts.iter().map(|count| count.load(SeqCst)).collect();
        eventually("every client to be served on", async || {
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client has failed");
            let all = self.counts.iter().zip(&before);
            let mut served = all.map(|(count, before)| count.load(SeqCst) > *before);
            served.all(|served| served).then_some(())
        })
        .await;
    }

    async fn end(self) -> usize {
        self.stop.store(true, SeqCst);
        // All of them together: a connection ends with the client that made it, and others ask on it.
        let mut ended = Vec::new();
        for client in self.clients {
            ended.push(client.await.unwrap());
        }
        self.counts.iter().map(|count| 2 * count.load(SeqCst)).sum()
    }
}

#[tokio::test]
async fn fifty_reloads_fail_no_request_and_leave_the_websocket_alone() {
    let (origin, sockets) = (Origin::text("ok").await, websocket_origin().await);
    let gateway = Gateway::start(&generation(0, &origin, &sockets)).await;
    let load = Load::start(&gateway).await;
    let Ok(mut socket) = WebSocket::open(&gateway, "app.test", "/ws").await else {
        panic!("the WebSocket was refused")
    };
    let mut seers = Http::both(&gateway, "app.test").await;
    for number in 1..=RELOADS {
        reloaded(&gateway, &generation(number, &origin, &sockets)).await;
        for seer in &mut seers {
            let seen = seer.get("/").await.header("x-generation");
            assert_eq!(seen, Some(number.to_string()), "{:?}", seer.version());
        }
        let mut newcomer = Http::http2(&gateway, "app.test").await;
        assert_eq!(newcomer.get("/").await.header("x-generation"), Some(number.to_string()));
        let message = Message::text(format!("after reload {number}"));
        socket.send(message.clone()).await;
        assert_eq!(socket.receive().await, message);
        load.goes_on().await;
    }
    let served = load.end().await;
    assert!(served >= RELOADS * 24, "only {served} requests were made meanwhile");

    let metrics = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    let line = format!("gateway_config_reloads_total{{outcome=\"reloaded\"}} {RELOADS}\n");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(!metrics.contains("gateway_faults_total{"), "{metrics}");
    assert_eq!(sockets.connections(), 1, "the WebSocket is the one that it was");
}

//! The sample applications behind `gateway demo`: what a small stack has behind its front door, on
//! free loopback ports.
//!
//! They live in the binary so that the gateway can be tried without installing, downloading or
//! configuring anything, and so that every kind of traffic it must carry (pages and assets, REST,
//! server-sent events, WebSockets, long transfers, webhooks) is there to be sent through it. The
//! tests use the same applications as origins. They speak plain HTTP/1.1, keep everything in
//! memory, bound what they keep, and are no part of a gateway that runs from a configuration.
//!
//! | application | module | what it shows |
//! |---|---|---|
//! | frontend | `frontend` | a page, its assets, a page for what is not there |
//! | backend | `backend` | REST, events, WebSockets, streams both ways, an echo of the request |
//! | Grafana's stand-in | `grafana` | an application with a live WebSocket and headers of its own |
//! | webhook receiver | `webhook` | deliveries, and a list of the last ones |

mod backend;
mod clock;
mod events;
mod frontend;
mod grafana;
mod list_socket;
mod pattern;
mod reply;
mod server;
mod shopping_list;
mod webhook;
mod websocket;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

use self::backend::Backend;
use self::frontend::Frontend;
use self::grafana::Grafana;
use self::server::{App, Running, Tasks};
use self::webhook::WebhookReceiver;

/// The running applications. They stop, and their connections close, when this is dropped.
#[derive(Debug)]
#[must_use = "the applications stop when this is dropped"]
pub struct Origins {
    /// The shopping list's page and its assets.
    pub frontend: SocketAddr,
    /// The shopping list's API, and end points to measure with.
    pub backend: SocketAddr,
    /// The stand-in for Grafana.
    pub grafana: SocketAddr,
    /// The webhook receiver.
    pub webhook: SocketAddr,
    _running: Running,
}

/// Starts all applications on free ports of 127.0.0.1, as tasks of the current Tokio runtime, which
/// needs I/O and time enabled.
///
/// # Errors
/// Where the loopback address has no free port or the process no free file descriptor.
///
/// # Panics
/// Outside a Tokio runtime.
pub async fn start() -> io::Result<Origins> {
    let (running, tasks) = server::tasks();
    Ok(Origins {
        frontend: listen(Frontend::new(), &tasks).await?,
        backend: listen(Backend::new(), &tasks).await?,
        grafana: listen(Grafana, &tasks).await?,
        webhook: listen(WebhookReceiver::default(), &tasks).await?,
        _running: running,
    })
}

async fn listen<A: App>(app: A, tasks: &Tasks) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tasks.spawn(server::serve(listener, Arc::new(app), tasks.clone()));
    Ok(address)
}

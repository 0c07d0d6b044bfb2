//! Upstreams of several servers: which of them a request goes to, which are left out, and what is
//! tried again.

mod checks;
mod failing;
mod moving;
mod mutual_tls;
mod picking;
mod retries;
mod rolling;
mod room;
mod sticky;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hyper::Response;
use tokio::net::TcpListener;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::{Origin, read_head};
use crate::harness::replies::full;
use crate::harness::{config, one_site};

/// A gateway with one worker before an upstream `app` of these servers, with further keys.
async fn start(servers: &[&Origin], keys: &str) -> Gateway {
    let servers: Vec<_> = servers.iter().map(|origin| origin.addr()).collect();
    Gateway::start(&config("workers = 1", &app(&servers, keys))).await
}

fn app(servers: &[SocketAddr], keys: &str) -> String {
    let servers: Vec<_> = servers.iter().map(|addr| format!("\"{addr}\"")).collect();
    app_of(&servers.join(", "), keys)
}

fn app_of(servers: &str, keys: &str) -> String {
    format!("[upstream.app]\nservers = [{servers}]\n{keys}\n\n{}", one_site("app", ""))
}

/// A server that closes every connection when a request's head has arrived.
async fn closing() -> Origin {
    Origin::raw(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await
}

/// An address of loopback.
fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// A port that is free on all of these addresses; what was bound to find it is let go.
async fn common_port(addresses: &[IpAddr]) -> u16 {
    loop {
        let first = TcpListener::bind((addresses[0], 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut bound = Vec::new();
        for address in &addresses[1..] {
            bound.extend(TcpListener::bind((*address, port)).await.ok());
        }
        if bound.len() + 1 == addresses.len() {
            return port;
        }
    }
}

/// A server that answers with a text.
async fn text_at(address: IpAddr, port: u16, text: &'static str) -> Origin {
    let listener = TcpListener::bind((address, port)).await.unwrap();
    Origin::http_on(listener, move |_| async move { Response::new(full(text)) })
}

/// So many answers, one after the other.
async fn answers(http: &mut Http, path: &str, count: usize) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..count {
        answers.push(http.get(path).await.text());
    }
    answers
}

fn of(answers: &[String], text: &str) -> usize {
    answers.iter().filter(|answer| *answer == text).count()
}

/// The sum of the series of a name whose labels hold all of these.
async fn metric(gateway: &Gateway, name: &str, labels: &[&str]) -> f64 {
    let text = Http::plain(gateway.admin(), "localhost").await.get("/metrics").await.text();
    text.lines()
        .filter(|line| line.split(['{', ' ']).next() == Some(name))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

//! TXT records changed and looked for: at a real name server, at a stand-in of Cloudflare's API, by
//! programs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cloudflare;
mod examine;
mod exec;
mod golden;
#[path = "../support/http_server.rs"]
mod http_server;
mod named;
mod refusals;
mod updates;
mod visible;

use std::net::SocketAddr;
use std::path::Path;

use gateway_acme::dns::TxtRecord;
use gateway_config::model::Secret;
use hickory_resolver::proto::op::{Message, ResponseCode};
use tokio::net::{TcpListener, UdpSocket};

/// Values as challenges have them.
const ONE: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const TWO: &str = "-8mJ2mBZ4wEmAx0ZkTTl7bnuG3mYvYDR2EuKzv4bX_s";

fn record(name: &str, value: &str) -> TxtRecord {
    TxtRecord::new(name, value).unwrap()
}

/// An address at which nothing listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A name server that knows no name.
async fn ignorant() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let mut answer = Message::from_vec(&buffer[..length]).unwrap().into_response();
            answer.metadata.response_code = ResponseCode::NXDomain;
            socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
        }
    });
    address
}

/// A secret in a file of the folder.
fn secret(dir: &Path, name: &str, content: &str) -> Secret {
    let path = dir.join(name);
    std::fs::write(&path, format!("{content}\n")).unwrap();
    Secret::File(path)
}

//! The PROXY protocol, from balancers and to upstreams.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get};
use crate::harness::origin::{Origin, echoed_once, read_head};
use crate::harness::tls_client::Tls;
use crate::harness::{config, one_site, within};

const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// An introduction of 203.0.113.7:4711 in version 2, with a value that nobody asked for behind it.
fn binary() -> Vec<u8> {
    let mut bytes = V2_SIGNATURE.to_vec();
    bytes.extend([0x21, 0x11, 0, 12 + 7]);
    bytes.extend([203, 0, 113, 7, 10, 0, 0, 1]);
    bytes.extend(4711_u16.to_be_bytes());
    bytes.extend(443_u16.to_be_bytes());
    bytes.extend([0x04, 0, 4, 1, 2, 3, 4]);
    bytes
}

async fn introduced(gateway: &Gateway, pieces: &[&[u8]]) -> Http {
    let mut tcp = TcpStream::connect(gateway.https()).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    for piece in pieces {
        tcp.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let tls = Tls::trusting(&gateway.local_ca());
    let secure = tls.try_over(tcp, "app.test").await.expect("the handshake failed");
    Http::over(secure, "app.test").await
}

async fn behind_a_balancer(origin: &Origin) -> Gateway {
    let toml = one_site(origin.addr(), "");
    Gateway::start(&config("proxy_protocol = [\"127.0.0.0/8\"]", &toml)).await
}

fn client_of(seen: &Value) -> Option<String> {
    assert_eq!(echoed_once(seen, "x-real-ip"), echoed_once(seen, "x-forwarded-for"));
    echoed_once(seen, "x-real-ip")
}

#[tokio::test]
async fn the_client_is_who_the_balancer_says() {
    let origin = Origin::echo().await;
    let gateway = behind_a_balancer(&origin).await;
    let text = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n";
    let binary = binary();
    let ways: [(&str, Vec<&[u8]>); 3] = [
        ("text", vec![text]),
        ("binary", vec![&binary]),
        ("in pieces", binary.chunks(1).collect()),
    ];
    for (what, pieces) in ways {
        let seen = introduced(&gateway, &pieces).await.get("/").await.json();
        assert_eq!(client_of(&seen).as_deref(), Some("203.0.113.7"), "{what}");
    }
    let record = gateway.record_of("/").await;
    assert_eq!(record["client"], "203.0.113.7", "{record}");
}

#[tokio::test]
async fn a_balancer_that_looks_whether_we_live_is_itself() {
    let origin = Origin::echo().await;
    let gateway = behind_a_balancer(&origin).await;
    let mut http = introduced(&gateway, &[b"PROXY UNKNOWN\r\n"]).await;
    assert_eq!(client_of(&http.get("/").await.json()).as_deref(), Some("127.0.0.1"));
}

#[tokio::test]
async fn who_does_not_introduce_a_client_is_refused() {
    let origin = Origin::echo().await;
    let gateway = behind_a_balancer(&origin).await;
    Tls::trusting(&gateway.local_ca()).refused(gateway.https(), "app.test").await;
    for garbage in [&b"PROXY TCP4 300.0.0.1 10.0.0.1 1 2\r\n"[..], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut tcp = TcpStream::connect(gateway.http()).await.unwrap();
        tcp.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an end as any.
        drop(within("the connection's end", tcp.read_to_end(&mut answer)).await);
        assert_eq!(answer, b"", "{:?}", String::from_utf8_lossy(garbage));
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
    let mut metrics = Http::plain(gateway.admin(), "localhost").await;
    let metrics = metrics.get("/metrics").await.text();
    assert!(metrics.contains("{reason=\"not_introduced\"} 3"), "{metrics}");
}

#[tokio::test]
async fn strangers_cannot_introduce_themselves() {
    let origin = Origin::echo().await;
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), ""))).await;
    let mut tcp = TcpStream::connect(gateway.https()).await.unwrap();
    tcp.write_all(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n").await.unwrap();
    let shaken = Tls::trusting(&gateway.local_ca()).try_over(tcp, "app.test").await;
    assert!(shaken.is_err(), "a stranger was believed");
}

/// Answers with what came before the request's head.
async fn introduced_origin() -> Origin {
    Origin::raw(|mut stream, _| async move {
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        let mut said = first.to_vec();
        if first[0] == b'P' {
            while !said.ends_with(b"\r\n") {
                said.push(stream.read_u8().await.unwrap());
            }
        } else {
            let mut head = [0; 15];
            stream.read_exact(&mut head).await.unwrap();
            let mut rest = vec![0; usize::from(u16::from_be_bytes([head[13], head[14]]))];
            stream.read_exact(&mut rest).await.unwrap();
            said.extend(head);
            said.extend(rest);
        }
        while read_head(&mut stream).await.is_some() {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", said.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&said).await.unwrap();
        }
    })
    .await
}

async fn introducing(version: &str, origin: &Origin) -> Gateway {
    let toml = format!(
        "[upstream.app]\nservers = [\"{}\"]\nproxy_protocol = \"{version}\"\n\n{}",
        origin.addr(),
        one_site("app", "")
    );
    Gateway::start(&config("workers = 1\nproxy_protocol = [\"127.0.0.2/32\"]", &toml)).await
}

#[tokio::test]
async fn an_upstream_is_told_in_text_whose_request_it_is() {
    let origin = introduced_origin().await;
    let gateway = introducing("v1", &origin).await;
    let local = Tls::trusting(&gateway.local_ca()).alpn(&["h2"]).from("127.0.0.9");
    let mut http = Http::connect(&local, gateway.https(), "app.test").await;
    for _ in 0..2 {
        let said = http.get("/").await.text();
        let port = origin.addr().port().to_string();
        let words: Vec<&str> = said.trim_end().split(' ').collect();
        assert_eq!(words[..4], ["PROXY", "TCP4", "127.0.0.9", "127.0.0.1"], "{said:?}");
        assert_eq!(words.last(), Some(&port.as_str()), "{said:?}");
    }
    assert_eq!(origin.connections(), 2, "a connection is for one client");
}

#[tokio::test]
async fn an_upstream_is_told_in_binary_whose_request_it_is() {
    let origin = introduced_origin().await;
    let gateway = introducing("v2", &origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let said = http.request(get("/")).await.body;
        assert!(said.starts_with(V2_SIGNATURE), "{said:?}");
        assert_eq!(said[12..14], [0x21, 0x11], "PROXY, TCP over IPv4");
        assert_eq!(said[16..24], [127, 0, 0, 1, 127, 0, 0, 1]);
        let server = SocketAddr::from(([127, 0, 0, 1], u16::from_be_bytes([said[26], said[27]])));
        assert_eq!(server, origin.addr());
    }
}

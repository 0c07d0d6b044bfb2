//! Ten thousand WebSockets that say nothing, and how little each of them takes.
//!
//! Each is two open files for the gateway, and two more for those on both sides of it: the origin is
//! a process of its own, this test once more.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::memory;
use crate::harness::origin::read_head;
use crate::harness::raw_client::{Raw, TlsRaw};
use crate::harness::tls_client::Tls;
use crate::harness::{config, one_site, skipped, within};

const WANTED: usize = 10_000;

/// Files that a process has open besides.
const OTHERS: usize = 300;

/// A text frame that says `hello`, masked with zeros.
const HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";

const MARK: &str = "websocket origin on ";

/// Answers every upgrade, and then says back what it hears.
async fn serve(mut stream: TcpStream) {
    if read_head(&mut stream).await.is_none() {
        return;
    }
    let switch =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut said = [0; 64];
    let mut outcome = stream.write_all(switch).await;
    while outcome.is_ok() {
        match stream.read(&mut said).await {
            Ok(length @ 1..) => outcome = stream.write_all(&said[..length]).await,
            _ => return,
        }
    }
}

/// Not a test: the origin's process, which ends when its standard input does.
#[tokio::test]
#[ignore = "it is started by the test below"]
async fn origin() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    writeln!(std::io::stdout(), "{MARK}{}", listener.local_addr().unwrap()).unwrap();
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream));
        }
    };
    let parent = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! {
        () = accept => {}
        _ = parent => {}
    }
}

/// Ends the process when it is dropped.
struct OriginProcess {
    child: Child,
    /// Somebody listens to what it says at its end.
    said: Lines<BufReader<ChildStdout>>,
    addr: SocketAddr,
}

impl OriginProcess {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["streaming::many_websockets::origin", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = said.find_map(|line| Some(line.ok()?.split_once(MARK)?.1.parse().unwrap()));
        let addr = addr.expect("the origin's process did not say its address");
        Self { child, said, addr }
    }
}

impl Drop for OriginProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.said.by_ref().for_each(drop);
        self.child.wait().unwrap();
    }
}

/// As many as the files that a process may open allow.
fn as_many_as_possible() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft = line.split_whitespace().nth(3).unwrap();
    let files = soft.parse().unwrap_or(usize::MAX);
    WANTED.min(files.saturating_sub(OTHERS) / 2)
}

async fn open(tls: &Tls, gateway: &Gateway) -> TlsRaw {
    let stream = tls.connect(gateway.https(), "app.test").await.stream;
    let mut raw = Raw::over(stream);
    let asking = "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    raw.write(asking).await;
    let head = raw.head().await.expect("closed instead of an answer");
    assert_eq!(head.status, 101, "{head:?}");
    raw
}

#[tokio::test]
async fn ten_thousand_silent_websockets_are_held() {
    let count = as_many_as_possible();
    if count < WANTED {
        let why = "a process may not open more files here (`ulimit -n`); `.ci/emulated websockets` \
                   runs this test where it may";
        skipped(&format!("{} of {WANTED} idle WebSockets", WANTED - count), why);
    }
    let origin = OriginProcess::start();
    let server = "max_connections = 30000\nmax_connections_per_client = 30000";
    let gateway = Gateway::start(&config(server, &one_site(origin.addr, ""))).await;
    let tls = Tls::trusting(&gateway.local_ca()).alpn(&["http/1.1"]);
    let first = open(&tls, &gateway).await;
    let before = memory::resident(gateway.pid());
    let opening = stream::iter(1..count).map(|_| open(&tls, &gateway)).buffer_unordered(64);
    let mut sockets: Vec<TlsRaw> = opening.collect().await;
    sockets.push(first);
    let each = memory::resident(gateway.pid()).saturating_sub(before) / count as u64;
    assert!(each < 32 * 1024, "{each} bytes for each silent WebSocket");

    let mut admin = Http::plain(gateway.admin(), "admin").await;
    let metrics = admin.get("/metrics").await.text();
    let open = format!("gateway_connections_open{{listener=\"https\"}} {count}");
    assert!(metrics.contains(&open), "no {open} in {metrics}");
    let step = count / 100 + 1;
    for (number, socket) in sockets.iter_mut().enumerate().step_by(step) {
        assert!(socket.write(HELLO).await, "WebSocket {number} was closed");
        let echo = within("the echo of a silent WebSocket", socket.exactly(HELLO.len())).await;
        assert_eq!(echo, HELLO, "WebSocket {number}");
    }
}

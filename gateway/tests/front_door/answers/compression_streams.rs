//! Compressed answers stream: what is slow in coming goes on as it comes, what is long takes no memory,
//! and a client that stops reading holds the upstream back.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use tokio::io::AsyncWriteExt;

use crate::harness::gateway::Gateway;
use crate::harness::http_client::{Http, get_with};
use crate::harness::memory::{self, MIB};
use crate::harness::origin::{Origin, read_head};
use crate::harness::pattern;
use crate::harness::replies::{Body, channel, patterned};
use crate::harness::{config, one_site, within, within_time};

const TRANSFER: Duration = Duration::from_secs(300);

fn html(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

async fn gateway(origin: &Origin) -> Gateway {
    Gateway::start(&config("", &one_site(origin.addr(), "compress = true"))).await
}

async fn begin(http: &mut Http, path: &str, coding: &str) -> Incoming {
    let response = http.send(get_with(path, &[("accept-encoding", coding)])).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], coding);
    response.into_body()
}

/// Decodes a body as it arrives.
struct Decoder {
    writer: Box<dyn Write + Send>,
    out: Arc<Mutex<Vec<u8>>>,
}

/// The end that decoders write to.
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    fn new(coding: &str) -> Self {
        let out = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Shared(out.clone());
        let writer: Box<dyn Write + Send> = match coding {
            "gzip" => Box::new(flate2::write::GzDecoder::new(shared)),
            "br" => Box::new(brotli::DecompressorWriter::new(shared, 4096)),
            "zstd" => Box::new(zstd::stream::write::Decoder::new(shared).unwrap()),
            other => panic!("{other}"),
        };
        Self { writer, out }
    }

    /// What a piece that has arrived lets one read.
    fn read(&mut self, piece: &[u8]) -> Vec<u8> {
        self.writer.write_all(piece).unwrap();
        self.writer.flush().unwrap();
        std::mem::take(&mut *self.out.lock().unwrap())
    }
}

#[tokio::test]
async fn a_line_arrives_before_the_next_is_sent() {
    let (origin, lines) = slow().await;
    let gateway = gateway(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for coding in ["gzip", "br", "zstd"] {
            let asked = begin(&mut http, "/", coding);
            let (mut body, line) = tokio::join!(asked, async {
                within("the origin to be asked", async { lines.lock().await.recv().await.unwrap() })
                    .await
            });
            let mut decoder = Decoder::new(coding);
            for number in 0..5 {
                let text = format!("line {number}\n");
                line.send(Ok(Bytes::from(text.clone()))).await.unwrap();
                // Nothing more is sent until this one has been read.
                let mut arrived = Vec::new();
                while arrived != text.as_bytes() {
                    let what = format!("{text:?} in {coding} over {:?}", http.version());
                    let frame = within(&what, body.frame()).await.unwrap().unwrap();
                    arrived.extend(decoder.read(&frame.into_data().unwrap()));
                }
            }
            drop(line);
            let rest = within("the end", body.collect()).await.unwrap().to_bytes();
            assert_eq!(decoder.read(&rest), b"");
        }
    }
}

type Line = tokio::sync::mpsc::Sender<Result<Bytes, crate::harness::replies::BodyError>>;
type Lines = Arc<tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Line>>>;

/// An origin whose every answer is written by the test.
async fn slow() -> (Origin, Lines) {
    let (asked, lines) = tokio::sync::mpsc::channel(8);
    let origin = Origin::http(move |_| {
        let asked = asked.clone();
        async move {
            let (line, body) = channel();
            asked.send(line).await.unwrap();
            html(body)
        }
    })
    .await;
    (origin, Arc::new(tokio::sync::Mutex::new(lines)))
}

/// `GET /N` is answered with N bytes of the pattern.
async fn long(request: Request<Incoming>) -> Response<Body> {
    html(patterned(request.uri().path()[1..].parse().unwrap()))
}

/// Reads a compressed body to its end, comparing it with the pattern.
async fn check(body: Incoming, coding: &'static str) -> u64 {
    let (sender, pieces) = std::sync::mpsc::channel::<Bytes>();
    let checked = tokio::task::spawn_blocking(move || {
        let (mut decoder, mut check) = (Decoder::new(coding), pattern::Check::default());
        pieces.iter().for_each(|piece| check.take(&decoder.read(&piece)));
        check.total()
    });
    let mut body = body;
    while let Some(frame) = within("the next piece", body.frame()).await {
        sender.send(frame.unwrap().into_data().unwrap()).unwrap();
    }
    drop(sender);
    within_time("the decoder", TRANSFER, checked).await.unwrap()
}

#[tokio::test]
async fn long_answers_arrive_whole_and_take_no_memory() {
    let origin = Origin::http(long).await;
    let gateway = gateway(&origin).await;
    for coding in ["gzip", "br", "zstd"] {
        for mut http in Http::both(&gateway, "app.test").await {
            let before = memory::resident(gateway.pid());
            let total = 48 * MIB;
            let body = begin(&mut http, &format!("/{total}"), coding).await;
            assert_eq!(check(body, coding).await, total, "{coding} over {:?}", http.version());
            let grown = memory::peak(gateway.pid()).saturating_sub(before);
            assert!(grown < 32 * MIB, "{coding}: memory grew by {} KiB", grown / 1024);
        }
    }
}

/// Bytes that no coding makes fewer, so that little fits into buffers on the way.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

#[tokio::test]
async fn a_reader_that_stops_holds_the_upstream_back() {
    let sent = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = sent.clone();
    let origin = Origin::raw(move |mut stream, _| {
        let count = count.clone();
        async move {
            let Some(_) = read_head(&mut stream).await else { return };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n";
            if stream.write_all(head.as_bytes()).await.is_err() {
                return;
            }
            let piece = noise(64 * 1024);
            while stream.write_all(&piece).await.is_ok() {
                count.fetch_add(piece.len(), std::sync::atomic::Ordering::SeqCst);
            }
        }
    })
    .await;
    let gateway = gateway(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        sent.store(0, std::sync::atomic::Ordering::SeqCst);
        let stopped = begin(&mut http, "/", "gzip").await;
        // Every buffer on the way is filled, and then nothing moves.
        let (mut last, mut still) = (0, 0);
        crate::harness::eventually("the upstream to be held back", || {
            let now = sent.load(std::sync::atomic::Ordering::SeqCst);
            still = if now > 0 && now == last { still + 1 } else { 0 };
            last = now;
            let held = still > 25;
            async move { held.then_some(()) }
        })
        .await;
        let reached = sent.load(std::sync::atomic::Ordering::SeqCst) as u64;
        assert!(reached < 32 * MIB, "{} MiB were read for nobody", reached / MIB);
        drop(stopped);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let (origin, lines) = slow().await;
    let gateway = gateway(&origin).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let asked = begin(&mut http, "/", "zstd");
        let (body, line) = tokio::join!(asked, async { lines.lock().await.recv().await.unwrap() });
        line.send(Ok(Bytes::from("some"))).await.unwrap();
        line.send(Err("the application failed".into())).await.unwrap();
        drop(line);
        let end = within("the end of a broken answer", body.collect()).await;
        assert!(end.is_err(), "{:?}: it looks whole", http.version());
    }
}

/// Half of a coding's bytes decode to half of the text: what has arrived can be used.
#[tokio::test]
async fn decoders_of_these_tests_see_what_is_there() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"seen").unwrap();
    encoder.flush().unwrap();
    assert_eq!(Decoder::new("gzip").read(encoder.get_ref()), b"seen");
    let mut text = String::new();
    let whole = encoder.finish().unwrap();
    flate2::read::GzDecoder::new(&whole[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "seen");
}
